#include "parallel/signature.h"

#include <array>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

std::string_view name(Operation operation) {
  constexpr std::array<std::string_view, 7> kNames{"all_reduce", "reduce_scatter", "all_gather", "broadcast", "barrier", "gather", "agree"};
  return kNames.at(static_cast<std::size_t>(operation));  // in the order of Operation
}

std::string describe(const Signature& s) {
  std::string call = fmt::format("{} #{}", name(s.operation), s.sequence);
  if (s.operation == Operation::kBarrier) return call;
  const std::string root = s.operation == Operation::kBroadcast ? fmt::format(" from rank {}", s.root) : "";
  return fmt::format("{}, {} bytes of {}{}", call, s.bytes, name(s.dtype), root);
}

void require_same_signature(std::string_view group, std::span<const Signature> by_rank) {
  for (std::size_t rank = 1; rank < by_rank.size(); ++rank) {
    if (by_rank[rank] == by_rank[0]) continue;
    fail(fmt::format("{}: the ranks do not call the same collective\n  rank 0    {}\n  rank {:<4} {}", group, describe(by_rank[0]), rank,
                     describe(by_rank[rank])));
  }
}

}  // namespace weft
