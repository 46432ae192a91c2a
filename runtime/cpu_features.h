#pragma once
#include "runtime/kernels/table.h"

namespace weft {

/// What the log says: "avx512, amx_bf16".
std::string describe(const CpuFeatures&);

}  // namespace weft
