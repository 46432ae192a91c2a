#pragma once
#include <string>

#include <gtest/gtest.h>

#include "launcher/config/config.h"
#include "runtime/error.h"

namespace weft::test {

inline LoadedConfig load(const std::string& text) {
  return parse_config("task: translation\n" + text, "c.yaml", ConfigUse::kRead);
}

inline Config config_of(const std::string& text) {
  return load(text).config;
}

/// What the user reads when `call` refuses the input; a failure of the test when it does not.
template <class Call>
std::string refusal(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadInput);
    return std::string("weft: ") + error.what() + "\n";
  }
  ADD_FAILURE() << "accepted";
  return "";
}

}  // namespace weft::test
