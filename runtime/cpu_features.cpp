#include "runtime/cpu_features.h"

#include <cpuid.h>

#include <cstdint>

namespace weft {
namespace {

/// The register state that the operating system saves: bits of XCR0 (Intel SDM volume 1, 13.3).
std::uint64_t saved_state() {
  std::uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (static_cast<std::uint64_t>(high) << 32) | low;
}

bool has_amx_bf16() {
  std::uint32_t a = 0, b = 0, c = 0, d = 0;
  constexpr std::uint32_t kOsXsave = 1u << 27, kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsXsave) == 0) return false;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr std::uint64_t kTileConfigAndData = (1u << 17) | (1u << 18);
  return (d & kAmxBf16) != 0 && (d & kAmxTile) != 0 && (saved_state() & kTileConfigAndData) == kTileConfigAndData;
}

InstructionSet widest_set() {
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512 && avx2) return InstructionSet::kAvx512;
  return avx2 ? InstructionSet::kAvx2 : InstructionSet::kBaseline;
}

}  // namespace

CpuFeatures cpu_features() {
  const InstructionSet set = widest_set();
  return {.instruction_set = set, .amx_bf16 = set == InstructionSet::kAvx512 && has_amx_bf16()};
}

std::string describe(const CpuFeatures& features) {
  switch (features.instruction_set) {
    case InstructionSet::kAvx512:
      return features.amx_bf16 ? "avx512, amx_bf16" : "avx512";
    case InstructionSet::kAvx2:
      return "avx2";
    case InstructionSet::kBaseline:
      break;
  }
  return "no avx2";
}

}  // namespace weft
