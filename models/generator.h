#pragma once
#include <memory>

#include "runtime/context.h"
#include "runtime/error.h"
#include "runtime/rows.h"

namespace weft {

/// The state of one decoding: the keys and values of every layer (or recurrent states). Concrete type is the model's own.
class DecodeState {
 public:
  virtual ~DecodeState() = default;
};

/// A model as decoding sees it: the training layers, one row per hypothesis, keys read from a cache. All blocks are acquired before.
class Generator {
 public:
  virtual ~Generator() = default;
  virtual std::int64_t vocab_size() const = 0;  // of the output
  /// Encodes the source and makes room for source.sequences * beams hypotheses of up to max_steps tokens. Memory is saved memory of ctx,
  /// under the caller's mark. Hypothesis h belongs to source sequence h / beams.
  virtual std::unique_ptr<DecodeState> start(Context&, const Rows& source, int beams, std::int64_t max_steps) = 0;
  /// tokens (N) int32, the last token of each live hypothesis (bos first) -> logits (N, V), sum type, overwritten. N is the number of live
  /// hypotheses: sequences * beams at first, then what `reorder` left.
  virtual void step(Context&, DecodeState&, Tensor tokens, Tensor logits) = 0;
  /// Live hypothesis i continues what was hypothesis parents[i]; parents (M) int32 on the device, M <= sequences * beams: finished ones
  /// leave, one may be continued in several ways. Also before the first step.
  virtual void reorder(Context&, DecodeState&, Tensor parents) = 0;
  /// Reads whole outputs, bos first: how much every target row looks at the source rows of its sequence, by the cross-attention of the last
  /// layer of the decoder, averaged over the heads. weights (target rows, longest source) float32, overwritten; zeros past the end of a
  /// source.
  virtual void attend(Context&, const Rows& source, const Rows& target, Tensor weights);
};

inline void Generator::attend(Context&, const Rows&, const Rows&, Tensor) {
  fail_input("decoding.alignment: this model has no attention to align by\n  expected  none");
}

}  // namespace weft
