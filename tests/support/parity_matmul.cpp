#include <array>

#include <fmt/format.h>

#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

struct Product {
  std::int64_t m, n, k;
  bool transpose_a = false, transpose_b = false;
  bool accumulate = false, bias = false, sum_type_y = false;
  Activation activation = Activation::kNone;
  bool pre_activation = false;
  std::int64_t gap = 0;  // elements between the rows of a, b, y and pre_activation
};

std::string name_of(const Product& p) {
  return fmt::format("matmul {}x{}x{}{}{}{}{}{} activation {}{} gap {}", p.m, p.n, p.k, p.transpose_a ? " transpose_a" : "",
                     p.transpose_b ? " transpose_b" : "", p.accumulate ? " accumulate" : "", p.bias ? " bias" : "",
                     p.sum_type_y ? " to sum type" : "", static_cast<int>(p.activation), p.pre_activation ? " kept before" : "", p.gap);
}

kernels::Matmul arguments(TestContext& ctx, DType dtype, const Product& p, const Tensor& a, const Tensor& b) {
  kernels::Matmul m{.a = a, .b = b, .transpose_a = p.transpose_a, .transpose_b = p.transpose_b, .activation = p.activation};
  m.accumulate = p.accumulate;
  if (p.bias) m.bias = ctx.normal({p.n}, dtype, 3);
  return m;
}

ParityCase product_case(const Product& p) {
  return parity_case(name_of(p), [p](TestContext& ctx, DType dtype) {
    const StridedMatrix a(ctx, p.transpose_a ? Shape{p.k, p.m} : Shape{p.m, p.k}, dtype, 1, p.gap);
    const StridedMatrix b(ctx, p.transpose_b ? Shape{p.n, p.k} : Shape{p.k, p.n}, dtype, 2, p.gap);
    const DType y_dtype = p.sum_type_y ? sum_type(dtype) : dtype;
    const StridedMatrix y(ctx, {p.m, p.n}, y_dtype, 4, p.gap), before(ctx, {p.m, p.n}, y_dtype, 5, p.gap);
    kernels::Matmul m = arguments(ctx, dtype, p, a.part, b.part);
    m.y = y.part;
    if (p.pre_activation) m.pre_activation = before.part;
    kernels::matmul(ctx, m);
    return std::vector<Output>{y.whole, before.whole};
  });
}

/// A product whose b was packed before, where the device has such a form.
ParityCase packed_case(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_b, std::int64_t gap) {
  return parity_case(
      fmt::format("pack_matmul, then {}x{}x{}, transposed {}, gap {}", m, n, k, transpose_b, gap), [=](TestContext& ctx, DType dtype) {
        const StridedMatrix b(ctx, transpose_b ? Shape{n, k} : Shape{k, n}, dtype, 2, gap);
        kernels::Matmul product{.a = ctx.normal({m, k}, dtype, 1), .b = b.part, .transpose_b = transpose_b, .y = ctx.empty({m, n}, dtype)};
        if (const std::int64_t bytes = kernels::packed_matmul_bytes(ctx.context().device, b.part, transpose_b); bytes > 0) {
          product.packed_b = ctx.empty({bytes}, DType::kUInt8);
          kernels::pack_matmul(ctx, {.b = b.part, .transpose_b = transpose_b, .packed = product.packed_b});
        }
        kernels::matmul(ctx, product);
        return std::vector<Output>{product.y};
      });
}

std::int64_t packed_bytes(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  return kernels.packed_matmul_bytes(Tensor(nullptr, {rows, 48}, dtype), true);
}

ParityCase bias_gradient_case(std::int64_t rows, std::int64_t columns, std::int64_t gap) {
  return parity_case(fmt::format("bias_gradient {}x{} gap {}", rows, columns, gap), [=](TestContext& ctx, DType dtype) {
    const StridedMatrix dy(ctx, {rows, columns}, dtype, 1, gap);
    const Tensor dbias = ctx.normal({columns}, sum_type(dtype), 2);
    kernels::bias_gradient(ctx, {.dy = dy.part, .dbias = dbias});
    return std::vector<Output>{dbias};
  });
}

/// A weight gradient: its row count is K, where a library's own figure falls as K grows.
std::int64_t weight_gradient_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  const kernels::Matmul m{.a = Tensor(nullptr, {rows, 64}, dtype),
                          .b = Tensor(nullptr, {rows, 48}, dtype),
                          .transpose_a = true,
                          .accumulate = true,
                          .y = Tensor(nullptr, {64, 48}, sum_type(dtype))};
  return kernels.matmul.workspace_bytes(m);
}

std::int64_t product_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  const kernels::Matmul m{.a = Tensor(nullptr, {rows, 64}, dtype),
                          .b = Tensor(nullptr, {48, 64}, dtype),
                          .transpose_b = true,
                          .y = Tensor(nullptr, {rows, 48}, dtype)};
  return kernels.matmul.workspace_bytes(m);
}

std::int64_t bias_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  return kernels.bias_gradient.workspace_bytes({.dy = Tensor(nullptr, {rows, 48}, dtype), .dbias = Tensor(nullptr, {48}, sum_type(dtype))});
}

}  // namespace

std::vector<ParityCase> matmul_parity_cases() {
  std::vector<ParityCase> cases;
  // The last two are cut over k and over columns (runtime/kernels/cpu/isa/gemm.cpp).
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 1, 1},
                                {5, 7, 3},
                                {33, 65, 17},
                                {130, 31, 129},
                                {0, 5, 3},
                                {4, 5, 0},
                                {3, 0, 2},
                                {9, 20, 1100},
                                {7, 1100, 20}}) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        for (const std::int64_t gap : {0, 6}) {
          cases.push_back(product_case({.m = m, .n = n, .k = k, .transpose_a = ta, .transpose_b = tb, .gap = gap}));
          cases.push_back(product_case(
              {.m = m, .n = n, .k = k, .transpose_a = ta, .transpose_b = tb, .accumulate = true, .sum_type_y = true, .gap = gap}));
        }
      }
    }
    for (const Activation f : {Activation::kNone, Activation::kRelu, Activation::kGelu, Activation::kGeluTanh}) {
      cases.push_back(product_case({.m = m, .n = n, .k = k, .transpose_b = true, .bias = true, .activation = f, .pre_activation = true}));
      cases.push_back(
          product_case({.m = m, .n = n, .k = k, .transpose_b = true, .bias = true, .sum_type_y = true, .activation = f, .gap = 3}));
    }
    cases.push_back(product_case({.m = m, .n = n, .k = k, .accumulate = true}));
    cases.push_back(product_case({.m = m, .n = n, .k = k, .transpose_b = true, .activation = Activation::kRelu}));
  }
  for (const std::int64_t rows : {0, 1, 7, 300}) {
    for (const std::int64_t columns : {1, 33}) {
      for (const std::int64_t gap : {0, 5}) cases.push_back(bias_gradient_case(rows, columns, gap));
    }
  }
  for (const auto& [m, n, k] : {std::array<std::int64_t, 3>{1, 1, 1}, {3, 33, 17}, {7, 16, 40}, {2, 100, 600}}) {
    for (const bool transpose_b : {false, true}) cases.push_back(packed_case(m, n, k, transpose_b, 3));
  }
  cases.push_back(growing_workspace_case("packed_matmul_bytes never falls", packed_bytes));
  cases.push_back(growing_workspace_case("matmul_workspace of a weight gradient never falls", weight_gradient_workspace));
  cases.push_back(growing_workspace_case("matmul_workspace of a forward never falls", product_workspace));
  cases.push_back(growing_workspace_case("bias_gradient_workspace never falls", bias_workspace));
  return cases;
}

}  // namespace weft::test
