#pragma once
#include <functional>
#include <string>
#include <vector>

#include "runtime/kernels/table.h"

namespace weft::test {

/// One kernel on one set of inputs, run on a table under test and on the reference in the same dtype.
struct ParityCase {
  std::string name;  // matmul 33x65x17 transpose_b bias gelu
  /// The worst error over its outputs, in units of the tolerance of each output: below 1 is right. NaN where an output is NaN.
  std::function<double(const KernelTable&, DType)> error;
};

/// Every entry of the table at odd sizes, size 1, no rows at all, dummy rows (weight 0), strided rows, with and without dropout,
/// accumulating onto numbers that were there; and every workspace query: it never falls as rows grow, and its kernel writes nothing past
/// it.
std::vector<ParityCase> kernel_parity_cases();

/// max |a - b| / max |b| that an output of this dtype may have. float32: sums in another order. bfloat16: one rounding the other way is
/// 2^-7 of the element.
double parity_tolerance(DType);

}  // namespace weft::test
