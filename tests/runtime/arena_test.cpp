#include <cmath>

#include <gtest/gtest.h>

#include "runtime/arena.h"
#include "runtime/error.h"

namespace weft::test {
namespace {

class ArenaTest : public testing::Test {
 protected:
  alignas(64) std::byte block_[1024];
  StepArena arena_{block_, sizeof block_};
};

TEST_F(ArenaTest, SavedGrowsFromTheFrontAndScratchFromTheBack) {
  const Tensor a = arena_.saved("a", {3}, DType::kFloat32), b = arena_.saved("b", {17}, DType::kFloat32);
  EXPECT_EQ(a.data, block_);
  EXPECT_EQ(b.data, block_ + 64);  // multiples of 64 bytes
  const StepArena::Scope scope(arena_);
  EXPECT_EQ(arena_.scratch("c", {1}, DType::kFloat64).data, block_ + 1024 - 64);
  EXPECT_EQ(arena_.scratch("d", {65}, DType::kUInt8).data, block_ + 1024 - 192);
}

TEST_F(ArenaTest, ReleasesLastInFirstOut) {
  const Tensor first = arena_.saved("first", {4}, DType::kFloat32);
  const StepArena::Mark mark = arena_.mark();
  const Tensor second = arena_.saved("second", {4}, DType::kFloat32);
  arena_.release(mark);
  EXPECT_EQ(arena_.saved("third", {4}, DType::kFloat32).data, second.data);
  std::byte* scratch = nullptr;
  {
    const StepArena::Scope scope(arena_);
    scratch = arena_.scratch("scratch", {4}, DType::kFloat32).data;
  }
  const StepArena::Scope scope(arena_);
  EXPECT_EQ(arena_.scratch("again", {4}, DType::kFloat32).data, scratch);
  EXPECT_EQ(first.data, block_);
}

TEST_F(ArenaTest, RefusesAMarkThatLiesAhead) {
  const StepArena::Mark empty = arena_.mark();
  arena_.saved("a", {4}, DType::kFloat32);
  const StepArena::Mark full = arena_.mark();
  arena_.release(empty);
  EXPECT_THROW(arena_.release(full), Error);
}

TEST_F(ArenaTest, RemembersThePeakByName) {
  arena_.record_peak();
  {
    const StepArena::Scope scope(arena_);
    arena_.scratch("logits", {64}, DType::kFloat32);
    arena_.saved("x", {16}, DType::kFloat32);
    arena_.saved("x", {16}, DType::kFloat32);
  }
  arena_.saved("later", {16}, DType::kFloat32);
  EXPECT_EQ(arena_.peak(), 256 + 64 + 64);
  const auto uses = arena_.peak_by_name();
  ASSERT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses[0].name, "logits");
  EXPECT_EQ(uses[0].bytes, 256);
  EXPECT_EQ(uses[1].name, "x");
  EXPECT_EQ(uses[1].bytes, 128);
}

TEST_F(ArenaTest, PoisonsWhatIsReleased) {
  arena_.poison_released();
  const StepArena::Mark mark = arena_.mark();
  const Tensor saved = arena_.saved("saved", {2}, DType::kFloat32);
  Tensor scratch;
  {
    const StepArena::Scope scope(arena_);
    scratch = arena_.scratch("scratch", {2}, DType::kFloat64);
    saved.as<float>()[0] = 1;
    scratch.as<double>()[0] = 1;
  }
  EXPECT_TRUE(std::isnan(scratch.as<double>()[0]));
  EXPECT_EQ(saved.as<float>()[0], 1);
  arena_.release(mark);
  EXPECT_TRUE(std::isnan(saved.as<float>()[0]));
}

TEST_F(ArenaTest, SaysWhatDidNotFit) {
  arena_.saved("x", {200}, DType::kFloat32);
  try {
    arena_.scratch("logits", {10, 10}, DType::kFloat32);
    FAIL() << "a full arena gave memory";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("arena: logits (10, 10) needs 448 bytes, 192 of 1024 are free"), std::string::npos)
        << error.what();
  }
  EXPECT_NO_THROW(arena_.saved("fits", {192}, DType::kUInt8));
}

TEST_F(ArenaTest, HandsOutTensorsWithoutRows) {
  const Tensor none = arena_.saved("none", {0, 5}, DType::kFloat32);
  EXPECT_TRUE(none.defined());
  EXPECT_EQ(arena_.peak(), 0);
}

}  // namespace
}  // namespace weft::test
