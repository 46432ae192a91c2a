#pragma once
#include "layers/parameter.h"
#include "runtime/tensor.h"

namespace weft {

/// A run of the flat storage with its summed gradient: what this rank updates.
struct Slice {
  FlatRange range;
  Tensor gradient;  // (range.end - range.begin), sum type
};

}  // namespace weft
