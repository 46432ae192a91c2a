#pragma once
#include <span>
#include <string>
#include <vector>

#include "runtime/context.h"
#include "state/optimizer_config.h"
#include "state/parameter_storage.h"
#include "state/shard_layout.h"

namespace weft {

/// A flat tensor of the optimizer beside the master weights, element by element: a moment, or their average.
struct Moment {
  std::string name;  // exp_avg, exp_avg_sq, momentum, ema: the prefix of its parts in a checkpoint
  Tensor flat;       // (updated elements of the layout), sum type: the updated ranges one after another
};

/// Updates the master weights of this rank's share of all parameters, and the values of all with them. Owns the moments of that share.
class OptimizerShards {
 public:
  /// The storage's layout is of the mesh's data-parallel ranks.
  OptimizerShards(const OptimizerConfig&, ParameterStorage&, const Mesh&, Device&);
  OptimizerShards(const OptimizerShards&) = delete;
  OptimizerShards& operator=(const OptimizerShards&) = delete;

  /// A fresh start: moments zero, the average equal to the masters. Also after weights were loaded without their moments.
  void initialize(Context&);
  /// Only the average starts again from the masters: after a checkpoint that has none.
  void initialize_average(Context&);

  /// One update from the summed gradients: global norm over all ranks, clipping at max_grad_norm, Adam, AdamW or SGD, average, and the
  /// gather of the values. Only enqueues. When the norm is not finite, weights, moments, average and Adam's count stay as they were, on
  /// every rank alike; step_state tells.
  void update(Context&, std::span<const Slice>);

  bool has_average() const { return config_.ema_decay != 0; }
  /// Exchanges masters and average and makes the values again. Validation calls it before and after, and waits for a save in flight first;
  /// between the two calls nothing may be updated or saved.
  void exchange_average(Context&);
  bool average_in_use() const { return average_in_use_; }

  /// Every rank's values from the ranks that update them: after masters were loaded. Nothing where every rank updates everything.
  void gather_values(Context&);

  const ParameterStorage& storage() const { return storage_; }
  std::span<const Moment> moments() const { return moments_; }
  /// The part of a moment that belongs to a range of the flat storage that this rank updates.
  Tensor part(const Moment&, FlatRange) const;

 private:
  struct Segment {  // neighbours in the flat storage that are updated in the same way
    FlatRange range;
    bool decayed;
  };
  void sum_squares(Context&, std::span<const Slice>);
  void update_segment(Context&, const Segment&, Tensor gradient);
  Tensor part(std::string_view moment, FlatRange) const;  // absent where there is no such moment

  OptimizerConfig config_;
  ParameterStorage& storage_;
  Communicator &world_, &dp_;
  std::vector<Segment> segments_;   // trained parameters only, in order
  bool norm_of_all_ = false;        // the norm adds up what the ranks of the job count, each element on one of them
  std::vector<FlatRange> counted_;  // by this rank
  std::vector<Memory> memory_;
  std::vector<Moment> moments_;
  bool average_in_use_ = false;
};

}  // namespace weft
