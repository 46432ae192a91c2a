#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/dtype.h"

namespace weft {

/// gather and agree are messages of Control.
enum class Operation : std::int32_t { kAllReduce, kReduceScatter, kAllGather, kBroadcast, kBarrier, kGather, kAgree };

std::string_view name(Operation);  // all_reduce

/// What all ranks of a group must agree on before a collective touches any data.
struct Signature {
  Operation operation = Operation::kBarrier;
  DType dtype = DType::kUInt8;
  std::int64_t bytes = 0;     // of the larger side: x of reduce_scatter, y of all_gather
  std::int64_t root = 0;      // broadcast
  std::int64_t sequence = 0;  // number of the collective in its group, from 1

  friend bool operator==(const Signature&, const Signature&) = default;
};

std::string describe(const Signature&);  // all_reduce #17, 4096 bytes of float32

/// Fails when two ranks of `group` differ: names the first rank, the first that differs from it, and both signatures.
void require_same_signature(std::string_view group, std::span<const Signature> by_rank);

}  // namespace weft
