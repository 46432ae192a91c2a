#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "parallel/control.h"
#include "runtime/log.h"
#include "state/checkpoint/checkpoint_reader.h"
#include "state/optimizer_shards.h"

namespace weft {

/// The newest whole checkpoint, and the newer ones that were found damaged and stepped over.
struct FoundCheckpoint {
  CheckpointReader reader;
  std::vector<std::int64_t> damaged;  // steps
};
/// Lists RUN/step-* newest first and takes the first whose manifest and every chunk hold; the ranks share the chunks and agree. Each one
/// stepped over is logged with the reason. Nothing when the directory has no checkpoint; exit 77 when it has and none is whole: a run never
/// starts over silently.
std::optional<FoundCheckpoint> find_newest(Storage&, const std::string& run_dir, Control&, Log&);

/// What a checkpoint is loaded into.
struct StateTarget {
  Context& ctx;
  ParameterStorage& storage;
  OptimizerShards& shards;
  bool reset_optimizer = false;  // moments start fresh
};
/// What a run goes on from.
struct Resumed {
  std::string folder;
  std::int64_t step = 0;
  Json run_state;
  RunIdentity run;
  std::vector<std::int64_t> damaged;
};

/// Reads masters and moments, tensor by tensor through a buffer of one tensor, and makes the values. Names and shapes are compared first:
/// another model fails with exit 64, naming the tensor and both shapes, and nothing is changed.
Resumed load_checkpoint(const CheckpointReader&, const StateTarget&);
/// Both: find_newest, load_checkpoint. Nothing: a fresh start.
std::optional<Resumed> load_newest(Storage&, const std::string& run_dir, Control&, Log&, const StateTarget&);

/// Whether a tensor of a checkpoint is a moment or an average, and no weight itself.
bool is_moment(std::string_view name);

/// Reads what load_weights would read; fails with exit 77 where a checksum does not hold.
void verify_weights(const CheckpointReader&);
/// Only the weights, the averaged ones where there are any: for decoding and scoring. `storage` may hold values alone.
void load_weights(const CheckpointReader&, Context&, ParameterStorage& storage);

/// As load_weights, but of another model: the tensors that have a name and shape of this one. The others keep what they hold; their names.
struct Untaken {
  std::vector<std::string> missing;      // there is none of that name
  std::vector<std::string> other_shape;  // or dtype
};
Untaken load_fitting_weights(const CheckpointReader&, Context&, ParameterStorage& storage);

}  // namespace weft
