#include "runtime/cpu_features.h"

#include <cpuid.h>
#include <dnnl.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "runtime/error.h"

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

InstructionSet by_flags() {
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512cd");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512 && avx2) return has_amx_bf16() ? InstructionSet::kAmx : InstructionSet::kAvx512;
  return avx2 ? InstructionSet::kAvx2 : InstructionSet::kBaseline;
}

// The limit is oneDNN's own, so that there is one for both.
InstructionSet by_limit() {
  const dnnl::cpu_isa limit = dnnl::get_effective_cpu_isa();
  const auto includes = [limit](dnnl::cpu_isa set) { return (static_cast<int>(limit) & static_cast<int>(set)) == static_cast<int>(set); };
  if (includes(dnnl::cpu_isa::avx512_core_amx)) return InstructionSet::kAmx;
  if (includes(dnnl::cpu_isa::avx512_core)) return InstructionSet::kAvx512;
  return includes(dnnl::cpu_isa::avx2) ? InstructionSet::kAvx2 : InstructionSet::kBaseline;
}

constexpr std::array kNames = {std::pair{InstructionSet::kBaseline, "no avx2"}, std::pair{InstructionSet::kAvx2, "avx2"},
                               std::pair{InstructionSet::kAvx512, "avx512"}, std::pair{InstructionSet::kAmx, "amx"}};

}  // namespace

InstructionSet instruction_set() {
  return std::min(by_flags(), by_limit());
}

void limit_instruction_set(InstructionSet most) {
  constexpr std::array kLimits = {dnnl::cpu_isa::sse41, dnnl::cpu_isa::avx2, dnnl::cpu_isa::avx512_core_bf16, dnnl::cpu_isa::all};
  const dnnl::status status = dnnl::set_max_cpu_isa(kLimits.at(static_cast<std::size_t>(most)));
  if (status != dnnl::status::success) fail("oneDNN does not take the limit of the instruction set: it has been used before");
}

std::string_view name(InstructionSet set) {
  return kNames.at(static_cast<std::size_t>(set)).second;
}

std::optional<InstructionSet> parse_instruction_set(std::string_view name) {
  for (const auto& [set, its_name] : kNames) {
    if (name == its_name && set != InstructionSet::kBaseline) return set;
  }
  return std::nullopt;
}

}  // namespace weft
