#include <limits>

#include <gtest/gtest.h>

#include "runtime/error.h"
#include "runtime/tensor.h"

namespace weft::test {
namespace {

TEST(ShapeTest, CountsAndCompares) {
  EXPECT_EQ((Shape{2, 3, 4}).elements(), 24);
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ((Shape{5, 0}).elements(), 0);
  EXPECT_EQ((Shape{2, 3})[-1], 3);
  EXPECT_EQ((Shape{2, 3}), (Shape{2, 3}));
  EXPECT_NE((Shape{2, 3}), (Shape{2, 3, 1}));
  EXPECT_EQ(to_string(Shape{2, 3}), "(2, 3)");
}

TEST(ShapeTest, RefusesOverflowAndNegativeSizes) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_THROW((Shape{kMost, 2}), Error);
  EXPECT_THROW((Shape{std::int64_t{1} << 32, std::int64_t{1} << 31}), Error);
  EXPECT_THROW((Shape{3, -1}), Error);
  EXPECT_THROW((Shape{1, 1, 1, 1, 1}), Error);
  EXPECT_THROW((Shape{std::int64_t{1} << 31, std::int64_t{1} << 29}), Error);  // 2^60 doubles are 2^63 bytes
  EXPECT_EQ((Shape{std::int64_t{1} << 30, std::int64_t{1} << 29}).elements(), Shape::kMostElements);
}

class TensorTest : public testing::Test {
 protected:
  float data_[24] = {};
  Tensor t_{data_, {2, 3, 4}, DType::kFloat32};
};

TEST_F(TensorTest, SlicesKeepTheirStrides) {
  const Tensor columns = t_.view({6, 4}).slice(1, 1, 2);
  EXPECT_EQ(columns.shape, (Shape{6, 2}));
  EXPECT_EQ(columns.stride(0), 4);
  EXPECT_FALSE(columns.contiguous());
  EXPECT_EQ(columns.as<float>(), data_ + 1);
  EXPECT_EQ(columns.rows(2, 1).as<float>(), data_ + 9);
  EXPECT_TRUE(columns.rows(2, 1).contiguous());
  EXPECT_THROW(t_.slice(1, 2, 2), Error);
  EXPECT_THROW(t_.slice(1, -1, 1), Error);
}

TEST_F(TensorTest, ViewsSplitHeadsOfStridedRows) {
  const Tensor heads = t_.view({3, 8}).slice(1, 4, 4).view({3, 2, 2});
  EXPECT_EQ(heads.stride(0), 8);
  EXPECT_EQ(heads.stride(1), 2);
  EXPECT_EQ(heads.as<float>(), data_ + 4);
  EXPECT_THROW(t_.view({3, 8}).slice(1, 4, 4).view({12}), Error);
  EXPECT_THROW(t_.view({5, 5}), Error);
}

TEST_F(TensorTest, RefusesTheWrongType) {
  EXPECT_THROW(t_.as<double>(), Error);
  EXPECT_THROW(t_.slice(2, 0, 2).span<float>(), Error);
  EXPECT_EQ(t_.span<float>().size(), 24u);
  EXPECT_EQ(t_.bytes(), 96);
  EXPECT_EQ(describe(t_), "float32 (2, 3, 4)");
}

TEST(TensorWithoutRowsTest, IsThereAndContiguous) {
  const Tensor none(nullptr, {0, 5}, DType::kFloat32);
  EXPECT_TRUE(none.defined());
  EXPECT_TRUE(none.contiguous());
  EXPECT_TRUE(none.slice(1, 1, 2).contiguous());
  EXPECT_FALSE(Tensor().defined());
}

TEST(BFloat16Test, RoundsToNearestEvenAndKeepsNaN) {
  EXPECT_EQ(static_cast<float>(bfloat16(1.0f + 0x1p-8f)), 1.0f);                // a tie: to the even neighbour below
  EXPECT_EQ(static_cast<float>(bfloat16(1.0f + 3 * 0x1p-8f)), 1.0f + 0x1p-6f);  // a tie: to the even neighbour above
  EXPECT_EQ(static_cast<float>(bfloat16(1.0f + 0x1.8p-8f)), 1.0f + 0x1p-7f);
  EXPECT_NE(static_cast<float>(bfloat16(std::numeric_limits<float>::quiet_NaN())),
            static_cast<float>(bfloat16(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(static_cast<float>(bfloat16(std::numeric_limits<float>::max())), std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace weft::test
