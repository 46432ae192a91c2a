#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "runtime/kernels/table.h"

namespace weft {

/// The widest set that this process may use: what the processor's feature flags have, never its model name, up to the limit.
InstructionSet instruction_set();

/// Lowers the limit that our kernels and oneDNN share. Call it once, before the first call of instruction_set and the first product.
void limit_instruction_set(InstructionSet most);

/// avx2, avx512, amx: as WEFT_MAX_CPU_ISA has them. "no avx2" for the baseline.
std::string_view name(InstructionSet);
std::optional<InstructionSet> parse_instruction_set(std::string_view name);

}  // namespace weft
