#include "tests/support/kernel_parity.h"

#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>

#include "runtime/error.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

constexpr std::int64_t kArenaBytes = 16 << 20;
constexpr std::int64_t kGuardBytes = 1 << 18;  // more than any workspace here: a query that says 0 must be noticed, not crash

/// Runs the kernel with its workspace just in front of bytes that must stay zero.
struct Guarded {
  Guarded(const KernelTable& kernels, const ParityRun& run, DType dtype) : ctx(kernels, kArenaBytes), scope(ctx.context().memory) {
    guard = ctx.context().memory.scratch("guard", {kGuardBytes}, DType::kUInt8);
    std::memset(guard.data, 0, kGuardBytes);
    outputs = run(ctx, dtype);
  }
  bool untouched() const {
    for (std::uint8_t byte : guard.span<std::uint8_t>()) {
      if (byte != 0) return false;
    }
    return true;
  }

  TestContext ctx;
  StepArena::Scope scope;
  Tensor guard;
  std::vector<Output> outputs;
};

}  // namespace

double parity_tolerance(DType dtype) {
  switch (dtype) {
    case DType::kFloat64:
      return 1e-10;
    case DType::kFloat32:
      return 1e-5;
    case DType::kBFloat16:
      return 1e-2;
    default:
      fail("parity is measured on floating tensors");
  }
}

ParityCase parity_case(std::string name, ParityRun run) {
  return {std::move(name), [run = std::move(run)](const KernelTable& kernels, DType dtype) {
            const Guarded tested(kernels, run, dtype), expected(reference_kernels(), run, dtype);
            if (!tested.untouched()) return std::numeric_limits<double>::infinity();
            double worst = 0;
            for (std::size_t i = 0; i < expected.outputs.size(); ++i) {
              const Output& output = expected.outputs[i];
              const double error = relative_error(tested.outputs[i].tensor, output.tensor) / parity_tolerance(output.precision);
              if (std::isnan(error)) return error;
              worst = std::max(worst, error);
            }
            return worst;
          }};
}

ParityCase growing_workspace_case(std::string name, std::function<std::int64_t(const KernelTable&, DType, std::int64_t)> bytes) {
  return {std::move(name), [bytes = std::move(bytes)](const KernelTable& kernels, DType dtype) {
            std::int64_t before = 0;
            for (std::int64_t rows = 0; rows < 4000; rows += 1 + rows / 7) {
              const std::int64_t now = bytes(kernels, dtype, rows);
              if (now < before) return std::numeric_limits<double>::infinity();
              before = now;
            }
            return 0.0;
          }};
}

std::vector<std::int32_t> random_ints(std::int64_t count, std::int64_t bound, std::uint64_t seed) {
  std::vector<std::int32_t> values;
  const RandomKey key = random_key(seed, "ints");
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<std::int32_t>(random_below(key, static_cast<std::uint64_t>(i), static_cast<std::uint64_t>(bound))));
  }
  return values;
}

AttentionPositions attention_positions(TestContext& ctx, DType dtype, std::int64_t positions, std::int64_t size, std::int64_t sloped_heads,
                                       RotaryPairing pairing) {
  AttentionPositions result{.pairing = pairing};
  const DType sums = sum_type(dtype);
  if (positions > 0) {
    std::vector<double> angles;
    for (std::int64_t p = 0; p < positions; ++p) {
      const auto angle = [&](std::int64_t i) { return 0.1 + static_cast<double>(p) * std::pow(10.0, static_cast<double>(-i)); };
      for (std::int64_t i = 0; i < size / 2; ++i) angles.push_back(std::cos(angle(i)));
      for (std::int64_t i = 0; i < size / 2; ++i) angles.push_back(std::sin(angle(i)));
    }
    result.rotation = ctx.floats(angles, sums, {positions, size});
  }
  std::vector<double> slopes;
  for (std::int64_t h = 0; h < sloped_heads; ++h) slopes.push_back(0.5 / static_cast<double>(h + 1));
  if (sloped_heads > 0) result.slopes = ctx.floats(slopes, sums, {sloped_heads});
  return result;
}

RowDropout row_dropout(TestContext& ctx, std::int64_t rows, double p) {
  std::vector<std::int32_t> sample, position;
  for (std::int64_t r = 0; r < rows; ++r) {
    sample.push_back(static_cast<std::int32_t>(1000 + r / 3));
    position.push_back(static_cast<std::int32_t>(r % 3));
  }
  return {.site = {.key = random_key(3, "parity.dropout"), .p = p}, .sample = ctx.ints(sample), .positions = ctx.ints(position)};
}

std::vector<ParityCase> kernel_parity_cases() {
  std::vector<ParityCase> all;
  for (auto family : {matmul_parity_cases, row_parity_cases, embedding_parity_cases, attention_parity_cases, cross_entropy_parity_cases,
                      optimizer_parity_cases, memory_parity_cases}) {
    auto cases = family();
    all.insert(all.end(), std::make_move_iterator(cases.begin()), std::make_move_iterator(cases.end()));
  }
  return all;
}

}  // namespace weft::test
