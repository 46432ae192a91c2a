#include "state/boxes.h"

#include <cstring>

#include <gtest/gtest.h>

#include "runtime/random.h"

namespace weft {
namespace {

/// Draws from a stream, one after the other.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : key_(random_key(seed, "boxes")) {}
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_below(key_, count_++, static_cast<std::uint64_t>(bound)));
  }

  Shape shape() {
    std::vector<std::int64_t> sizes;
    for (std::int64_t dims = 1 + below(4); dims > 0; --dims) sizes.push_back(1 + below(5));
    return Shape(sizes);
  }
  Box box(const Shape& shape) {
    Box box = whole_box(shape);
    for (int d = 0; d < shape.dims(); ++d) {
      box.begin[d] = below(shape[d]);
      box.size[d] = 1 + below(shape[d] - box.begin[d]);
    }
    return box;
  }

 private:
  RandomKey key_;
  std::uint64_t count_ = 0;
};

/// The numbers, within the whole tensor, of a box's elements, row by row.
std::vector<std::int32_t> indices(const Box& box, const Shape& shape) {
  std::vector<std::int32_t> result;
  for (std::int64_t element = 0; element < elements(box); ++element) {
    std::int64_t rest = element, index = 0, stride = 1;
    for (int d = shape.dims() - 1; d >= 0; --d) {
      index += (box.begin[d] + rest % box.size[d]) * stride;
      rest /= box.size[d];
      stride *= shape[d];
    }
    result.push_back(static_cast<std::int32_t>(index));
  }
  return result;
}

TEST(BoxesTest, ARangeOfAMatrixIsAtMostThreeBoxes) {
  const Box box{{2, 10}, {4, 6}};
  const std::vector<Box> boxes = boxes_of_range(box, 4, 20);
  ASSERT_EQ(boxes.size(), 3u);
  EXPECT_EQ(to_string(boxes[0]), "[2, 3) x [14, 16)");
  EXPECT_EQ(to_string(boxes[1]), "[3, 5) x [10, 16)");
  EXPECT_EQ(to_string(boxes[2]), "[5, 6) x [10, 12)");
  EXPECT_EQ(boxes_of_range(box, 0, 24).size(), 1u);
  EXPECT_EQ(boxes_of_range(box, 7, 9).size(), 1u);
  EXPECT_TRUE(boxes_of_range(box, 5, 5).empty());
}

TEST(BoxesTest, TheBoxesOfARangeAreItsElementsInOrder) {
  Draws draws(1);
  for (int round = 0; round < 3000; ++round) {
    const Shape shape = draws.shape();
    const Box box = draws.box(shape);
    const std::int64_t begin = draws.below(elements(box) + 1), end = begin + draws.below(elements(box) - begin + 1);
    const std::vector<std::int32_t> all = indices(box, shape);
    std::vector<std::int32_t> found;
    for (const Box& part : boxes_of_range(box, begin, end)) {
      const std::vector<std::int32_t> one = indices(part, shape);
      found.insert(found.end(), one.begin(), one.end());
    }
    ASSERT_EQ(found, std::vector<std::int32_t>(all.begin() + begin, all.begin() + end)) << to_string(box) << " " << begin << " " << end;
  }
}

TEST(BoxesTest, CopyingTheOverlapMovesExactlyWhatIsShared) {
  Draws draws(2);
  for (int round = 0; round < 3000; ++round) {
    const Shape shape = draws.shape();
    const Box from = draws.box(shape), to = draws.box(shape);
    const std::int64_t first = draws.below(elements(from)), count = draws.below(elements(from) - first + 1);
    const std::vector<std::int32_t> source = indices(from, shape), target = indices(to, shape);
    std::vector<std::int32_t> out(target.size(), -1), expected(target.size(), -1);
    for (std::size_t i = 0; i < target.size(); ++i) {
      for (std::int64_t e = first; e < first + count; ++e) {
        if (source[static_cast<std::size_t>(e)] == target[i]) expected[i] = target[i];
      }
    }
    const auto run = std::as_bytes(std::span(source).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    copy_overlap({.from = from, .first = first, .run = run, .to = to, .out = std::as_writable_bytes(std::span(out)), .element_bytes = 4});
    ASSERT_EQ(out, expected) << to_string(from) << " -> " << to_string(to);
  }
}

}  // namespace
}  // namespace weft
