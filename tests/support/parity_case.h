#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/kernels/attention.h"
#include "runtime/kernels/dropout.h"
#include "tests/support/kernel_parity.h"
#include "tests/support/test_context.h"

// How the cases of kernel_parity.h are written; one file a family of ops.
namespace weft::test {

/// What a kernel has written: compared at the tolerance of `precision`, the dtype of the tensor unless it was computed in a coarser one.
struct Output {
  Output(const Tensor& t) : tensor(t), precision(t.dtype) {}
  Output(const Tensor& t, DType computed_in) : tensor(t), precision(computed_in) {}
  Tensor tensor;
  DType precision;
};

/// Makes inputs, calls one launcher, returns its outputs. Everything that a kernel may touch but must not (the gaps between strided rows,
/// rows that no index names) belongs to the outputs.
using ParityRun = std::function<std::vector<Output>(TestContext&, DType)>;
ParityCase parity_case(std::string name, ParityRun);

/// Fails (infinitely) when `bytes` falls anywhere over rows 0, 1, 2, ... or is negative.
ParityCase growing_workspace_case(std::string name, std::function<std::int64_t(const KernelTable&, DType, std::int64_t rows)> bytes);

/// A matrix whose rows lie `gap` elements apart, inside one that has no gaps; random numbers everywhere.
struct StridedMatrix {
  StridedMatrix(TestContext& ctx, const Shape& rows_columns, DType dtype, std::uint64_t seed, std::int64_t gap)
      : whole(ctx.normal({rows_columns[0], rows_columns[1] + gap}, dtype, seed)), part(whole.slice(1, gap / 2, rows_columns[1])) {}
  Tensor whole, part;
};

/// `count` numbers in [0, bound), the same for a seed.
std::vector<std::int32_t> random_ints(std::int64_t count, std::int64_t bound, std::uint64_t seed);
/// Dropout with coordinates of `rows` rows; p 0: coordinates and no dropout.
RowDropout row_dropout(TestContext&, std::int64_t rows, double p);

/// What attention knows of positions: rotations of `positions` rows for heads of `size`, and a slope a head; 0: none.
AttentionPositions attention_positions(TestContext&, DType, std::int64_t positions, std::int64_t size, std::int64_t sloped_heads,
                                       RotaryPairing = RotaryPairing::kHalf);

std::vector<ParityCase> matmul_parity_cases();
std::vector<ParityCase> row_parity_cases();  // activation, dropout, residual, norms
std::vector<ParityCase> embedding_parity_cases();
std::vector<ParityCase> attention_parity_cases();
std::vector<ParityCase> cross_entropy_parity_cases();
std::vector<ParityCase> optimizer_parity_cases();
std::vector<ParityCase> memory_parity_cases();

}  // namespace weft::test
