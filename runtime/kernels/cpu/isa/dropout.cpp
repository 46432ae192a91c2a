#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"

namespace weft::cpu::WEFT_ISA {

void dropout(const DropoutApply& a) {
#pragma omp parallel for schedule(static) if (a.x.rows * a.x.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.x.rows; ++r) {
    if (a.x.storage == Storage::kBFloat16) {
      drop_row(a.dropout, r, a.x.columns, row<bf16>(a.x, r), row_or_null<bf16>(a.residual, r), row<bf16>(a.y, r));
    } else {
      drop_row(a.dropout, r, a.x.columns, row<float>(a.x, r), row_or_null<float>(a.residual, r), row<float>(a.y, r));
    }
  }
}

}  // namespace weft::cpu::WEFT_ISA
