#include "training/progress.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace weft {
namespace {

const TrainReport kReport{.step = 1012, .epoch = 0.312, .loss = 6.9123, .tokens_per_second = 41250, .seconds_left = 54960};

std::string drawn(bool is_terminal) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* stream = open_memstream(&text, &size);
  { ProgressLine(stream, is_terminal).show(kReport); }
  std::fclose(stream);
  std::string result(text, size);
  std::free(text);
  return result;
}

TEST(ProgressTest, TheLineIsDrawnOverAndTakenAway) {
  EXPECT_EQ(drawn(true), "\r\x1b[Kstep 1012  epoch 0.31  loss 6.9123  41250 tokens/s  15h16m left\r\x1b[K");
}

TEST(ProgressTest, NothingIsDrawnWhereThereIsNoTerminal) {
  EXPECT_EQ(drawn(false), "");
}

}  // namespace
}  // namespace weft
