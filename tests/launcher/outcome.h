#pragma once
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "launcher/run.h"

namespace weft::test {

/// What the program does with these arguments, run inside the test.
struct Outcome {
  int code = 0;
  std::string out, err;
};
inline Outcome outcome_of(const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome{.code = run(arguments)};
  outcome.err = testing::internal::GetCapturedStderr();
  outcome.out = testing::internal::GetCapturedStdout();
  return outcome;
}

/// What the user reads of input that is refused; a failure of the test where it is not.
inline std::string refusal_of(const std::vector<std::string>& arguments) {
  const Outcome outcome = outcome_of(arguments);
  EXPECT_EQ(outcome.code, 64);
  EXPECT_EQ(outcome.out, "");
  return outcome.err;
}

}  // namespace weft::test
