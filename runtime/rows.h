#pragma once
#include <cstdint>

#include "runtime/tensor.h"

namespace weft {

/// One side of a micro-batch: T rows of B sequences, packed without padding. All tensors int32, on the device.
struct Rows {
  Tensor tokens;     // (T) ids
  Tensor positions;  // (T) place in its sequence, from 0
  Tensor sample;     // (T) number of its sample within the update, over all ranks and passes
  Tensor begin;      // (B) first row of a sequence; keys may lie in a cache, so sequences need not be neighbours
  Tensor length;     // (B)
  Tensor by_token;   // (T) row numbers sorted by (id, row): the embedding gradient is summed in this order, without atomics
  std::int64_t rows = 0;
  std::int64_t sequences = 0;
  std::int64_t max_length = 0;  // of this batch
};

/// A side may be empty (rows == 0, tensors absent): a classifier has no target.
struct Batch {
  Rows source;
  Rows target;
  Tensor labels;   // (T) of the target side, or (B); int32, always valid ids
  Tensor weights;  // same shape, float32; 0: not counted
};

}  // namespace weft
