#pragma once
#include <string>

#include "launcher/ranks/machine.h"

namespace weft {

/// How many times faster the kernels multiply bf16 than float32, measured for about 20 ms on one product of a common size.
double bf16_speed(const KernelTable&);

/// Advice where `auto` chose float32 and the feature flags cannot tell whether bf16 is faster: with AVX-512 and no AMX, some processors
/// are twice as fast in bf16 and some are slower. Empty: nothing to say. A measurement advises only, since it is never the same twice.
std::string bf16_advice(const Machine&);

}  // namespace weft
