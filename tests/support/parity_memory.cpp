#include <fmt/format.h>

#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

ParityCase convert_case(const Shape& rows_columns, DType to, std::int64_t gap) {
  const std::string name = fmt::format("convert {} to {} gap {}", to_string(rows_columns), weft::name(to), gap);
  return parity_case(name, [=](TestContext& ctx, DType dtype) {
    const StridedMatrix x(ctx, rows_columns, dtype, 1, gap), y(ctx, rows_columns, to, 2, gap);
    kernels::convert(ctx, {.x = x.part, .y = y.part});
    return std::vector<Output>{y.whole};
  });
}

ParityCase fill_zero_case(std::int64_t n) {
  return parity_case(fmt::format("fill_zero {}", n), [=](TestContext& ctx, DType dtype) {
    const Tensor whole = ctx.normal({n + 2}, dtype, 1);
    kernels::fill_zero(ctx, {.y = whole.slice(0, 1, n)});
    return std::vector<Output>{whole};
  });
}

ParityCase exchange_case(std::int64_t n) {
  return parity_case(fmt::format("exchange {}", n), [=](TestContext& ctx, DType dtype) {
    const Tensor a = ctx.normal({n + 1}, sum_type(dtype), 1), b = ctx.normal({n + 1}, sum_type(dtype), 2);
    kernels::exchange(ctx, {.a = a.slice(0, 0, n), .b = b.slice(0, 1, n)});
    return std::vector<Output>{a, b};
  });
}

ParityCase accumulate_case(std::int64_t n) {
  return parity_case(fmt::format("accumulate {}", n), [=](TestContext& ctx, DType dtype) {
    const Tensor x = ctx.normal({n + 1}, sum_type(dtype), 1), y = ctx.normal({n + 1}, sum_type(dtype), 2);
    kernels::accumulate(ctx, {.x = x.slice(0, 0, n), .y = y.slice(0, 1, n)});
    return std::vector<Output>{x, y};
  });
}

ParityCase copy_rows_case(std::int64_t count, std::int64_t columns, bool from, bool to) {
  const std::string name = fmt::format("copy_rows {}x{}{}{}", count, columns, from ? " from" : "", to ? " to" : "");
  return parity_case(name, [=](TestContext& ctx, DType dtype) {
    const std::int64_t rows = from || to ? count + 3 : count;
    const StridedMatrix x(ctx, {rows, columns}, dtype, 1, 2), y(ctx, {rows, columns}, dtype, 2, 4);
    std::vector<std::int32_t> targets;  // every row at most once
    for (std::int64_t i = 0; i < count; ++i) targets.push_back(static_cast<std::int32_t>(count + 2 - i));
    kernels::copy_rows(ctx, {.x = x.part,
                             .from = from ? ctx.ints(random_ints(count, rows, 3)) : Tensor(),
                             .y = y.part,
                             .to = to ? ctx.ints(targets) : Tensor()});
    return std::vector<Output>{y.whole};
  });
}

}  // namespace

std::vector<ParityCase> memory_parity_cases() {
  std::vector<ParityCase> cases;
  for (const Shape& shape : {Shape{1, 1}, Shape{0, 4}, Shape{5, 33}, Shape{3, 1}}) {
    for (const DType to : {DType::kFloat32, DType::kBFloat16, DType::kFloat64}) {
      cases.push_back(convert_case(shape, to, 0));
      cases.push_back(convert_case(shape, to, 5));
    }
  }
  for (const std::int64_t n : {0, 1, 1001}) {
    cases.push_back(fill_zero_case(n));
    cases.push_back(exchange_case(n));
    cases.push_back(accumulate_case(n == 1001 ? 70'001 : n));  // more than a thread's piece
    for (const bool from : {false, true}) {
      for (const bool to : {false, true}) {
        cases.push_back(copy_rows_case(n, 1, from, to));
        cases.push_back(copy_rows_case(n, 19, from, to));
      }
    }
  }
  return cases;
}

}  // namespace weft::test
