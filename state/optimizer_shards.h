#pragma once
#include <span>
#include <string>
#include <vector>

#include "runtime/context.h"
#include "state/optimizer_config.h"
#include "state/parameter_storage.h"
#include "state/slice.h"

namespace weft {

/// A flat tensor of the optimizer beside the master weights, element by element: a moment, or their average.
struct Moment {
  std::string name;  // exp_avg, exp_avg_sq, momentum, ema: the prefix of its parts in a checkpoint
  Tensor flat;       // (elements of the slice), sum type
};

/// Updates the master weights of this rank's slice of all parameters, and the values with them. Owns the moments of that slice.
class OptimizerShards {
 public:
  OptimizerShards(const OptimizerConfig&, ParameterStorage&, Device&);
  OptimizerShards(const OptimizerShards&) = delete;
  OptimizerShards& operator=(const OptimizerShards&) = delete;

  /// A fresh start: moments zero, the average equal to the masters. Also after weights were loaded without their moments.
  void initialize(Context&);
  /// Only the average starts again from the masters: after a checkpoint that has none.
  void initialize_average(Context&);

  /// One update from the summed gradients: global norm, clipping at max_grad_norm, Adam, AdamW or SGD, average. Only enqueues. When the
  /// norm is not finite, weights, moments, average and Adam's count stay as they were; step_state tells.
  void update(Context&, std::span<const Slice>);

  bool has_average() const { return average_.defined(); }
  /// Exchanges masters and average and makes the values again. Validation calls it before and after, and waits for a save in flight first;
  /// between the two calls nothing may be updated or saved.
  void exchange_average(Context&);
  bool average_in_use() const { return average_in_use_; }

  FlatRange range() const { return range_; }  // the slice, in the flat storage
  Tensor masters() const { return storage_.masters().rows(range_.begin, range_.end - range_.begin); }
  std::span<const Moment> moments() const { return moments_; }

 private:
  struct Segment {  // neighbours in the flat storage that are updated in the same way
    FlatRange range;
    bool decayed;
  };
  void update_segment(Context&, const Segment&, Tensor gradient);
  Tensor moment(std::string_view name) const;

  OptimizerConfig config_;
  ParameterStorage& storage_;
  FlatRange range_;
  std::vector<Segment> segments_;  // trained parameters only, in order
  std::vector<Memory> memory_;
  std::vector<Moment> moments_;
  Tensor average_;  // one of moments_, or absent
  bool average_in_use_ = false;
};

}  // namespace weft
