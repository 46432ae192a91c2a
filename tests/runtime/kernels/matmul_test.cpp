#include <gtest/gtest.h>

#include "runtime/error.h"
#include "runtime/kernels/matmul.h"
#include "tests/runtime/kernels/sizes.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

/// A product the other way round: rank-one updates over dense vectors, operands transposed beforehand.
class Naive {
 public:
  Naive(std::int64_t m, std::int64_t n, std::int64_t k) : m_(m), n_(n), k_(k) {}
  std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b) const {
    std::vector<double> y(static_cast<std::size_t>(m_ * n_), 0);
    for (std::int64_t k = 0; k < k_; ++k) {
      for (std::int64_t e = 0; e < m_ * n_; ++e) y[at(e)] += a[at(e / n_ * k_ + k)] * b[at(k * n_ + e % n_)];
    }
    return y;
  }

 private:
  static std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }
  std::int64_t m_, n_, k_;
};

std::vector<double> transposed(const std::vector<double>& x, std::int64_t rows, std::int64_t columns) {
  std::vector<double> result;
  for (std::int64_t c = 0; c < columns; ++c) {
    for (std::int64_t r = 0; r < rows; ++r) result.push_back(x[static_cast<std::size_t>(r * columns + c)]);
  }
  return result;
}

struct Layout {
  bool transpose_a, transpose_b, accumulate;
  std::int64_t gap;
};

void check_product(const RowsColumns& size, std::int64_t k, const Layout& l) {
  TestContext ctx;
  const auto [m, n] = size;
  const StridedMatrix a(ctx, l.transpose_a ? Shape{k, m} : Shape{m, k}, kDouble, 1, l.gap);
  const StridedMatrix b(ctx, l.transpose_b ? Shape{n, k} : Shape{k, n}, kDouble, 2, l.gap);
  const StridedMatrix y(ctx, {m, n}, kDouble, 3, l.gap);
  const auto before = to_doubles(y.part);
  kernels::matmul(
      ctx, {.a = a.part, .b = b.part, .transpose_a = l.transpose_a, .transpose_b = l.transpose_b, .accumulate = l.accumulate, .y = y.part});
  auto expected = Naive(m, n, k).product(l.transpose_a ? transposed(to_doubles(a.part), k, m) : to_doubles(a.part),
                                         l.transpose_b ? transposed(to_doubles(b.part), n, k) : to_doubles(b.part));
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += l.accumulate ? before[i] : 0;
  EXPECT_LT(relative_error(to_doubles(y.part), expected), 1e-13)
      << m << "x" << n << "x" << k << " transposed " << l.transpose_a << l.transpose_b << " gap " << l.gap;
}

TEST(MatmulTest, MultipliesInAllTransposesAndLayouts) {
  for (const RowsColumns& size : kOddSizes) {
    for (const std::int64_t k : {0, 1, 6, 19}) {
      for (int bits = 0; bits < 16; ++bits) {
        check_product(size, k, {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0 ? 3 : 0});
      }
    }
  }
}

TEST(MatmulTest, AddsTheBiasKeepsWhatCameBeforeTheActivation) {
  TestContext ctx;
  const Tensor a = ctx.floats({1, 2, 3, 4}, kDouble, {2, 2}), b = ctx.floats({1, 0, 0, 1}, kDouble, {2, 2});
  const Tensor bias = ctx.floats({-2, 10}, kDouble, {2}), before = ctx.empty({2, 2}, kDouble), y = ctx.empty({2, 2}, kDouble);
  kernels::matmul(ctx, {.a = a, .b = b, .bias = bias, .activation = Activation::kRelu, .pre_activation = before, .y = y});
  EXPECT_EQ(to_doubles(before), (std::vector<double>{-1, 12, 1, 14}));
  EXPECT_EQ(to_doubles(y), (std::vector<double>{0, 12, 1, 14}));
}

TEST(MatmulTest, SumsBfloat16InFloat) {
  TestContext ctx;
  const std::vector<double> ones(1000, 1.0);
  const Tensor a = ctx.floats(ones, DType::kBFloat16, {1, 1000}), b = ctx.floats(ones, DType::kBFloat16, {1000, 1});
  const Tensor y = ctx.empty({1, 1}, DType::kFloat32);
  kernels::matmul(ctx, {.a = a, .b = b, .y = y});
  EXPECT_EQ(to_doubles(y)[0], 1000);  // sums kept in bfloat16 stop at 256
}

std::string message_of(TestContext& ctx, const kernels::Matmul& m) {
  try {
    kernels::matmul(ctx, m);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(MatmulTest, NamesTheArgumentThatDoesNotFit) {
  TestContext ctx;
  const Tensor a = ctx.zeros({2, 3}, DType::kFloat32), b = ctx.zeros({3, 5}, DType::kFloat32), y = ctx.zeros({2, 5}, DType::kFloat32);
  EXPECT_NE(message_of(ctx, {.a = a, .b = b, .bias = ctx.zeros({4}, DType::kFloat32), .y = y})
                .find("matmul: bias is float32 (4), expected float32 (5)"),
            std::string::npos);
  EXPECT_NE(message_of(ctx, {.a = a, .b = y, .y = y}).find("matmul: b is float32 (2, 5), expected float32 (3, 5)"), std::string::npos);
  EXPECT_NE(message_of(ctx, {.a = a, .b = b}).find("matmul: y is absent"), std::string::npos);
  const Tensor square = ctx.zeros({3, 3}, DType::kFloat32);
  EXPECT_NE(message_of(ctx, {.a = square, .b = b.slice(1, 0, 3), .y = square}).find("y must be neither a nor b"), std::string::npos);
  EXPECT_NE(message_of(ctx, {.a = a, .b = b, .activation = Activation::kRelu, .accumulate = true, .y = y}).find("accumulate goes with"),
            std::string::npos);
}

}  // namespace
}  // namespace weft::test
