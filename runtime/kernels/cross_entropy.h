#pragma once
#include "runtime/context.h"
#include "runtime/tensor.h"

namespace weft {

/// What a loss adds up, as float64 fields of one tensor on the device.
struct LossSums {
  enum Field : std::int64_t {
    kLoss,     // with label smoothing, in nats
    kNll,      // without it: what perplexity and validation loss are made of
    kCount,    // sum of the weights
    kCorrect,  // weighted rows whose largest logit is the label (ties: the lowest id)
    kFields
  };
};

}  // namespace weft

namespace weft::kernels {

/// Per row, with p = softmax(logits): loss = weight ((1 - e) (-log p[label]) + (e / V) sum_v (-log p[v])), added to `sums` in the order of
/// the rows; dlogits = step_state[kLossScale] weight (p - (1 - e) [v == label] - e / V).
struct CrossEntropy {
  Tensor logits;   // (T, V), sum type
  Tensor labels;   // (T) int32, always valid
  Tensor weights;  // (T) float32
  double label_smoothing = 0;
  Tensor dlogits;    // (T, V), compute dtype, overwritten, may be logits; absent: loss only
  Tensor sums;       // (LossSums::kFields) float64; accumulates
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void cross_entropy(Context&, CrossEntropy);

}  // namespace weft::kernels
