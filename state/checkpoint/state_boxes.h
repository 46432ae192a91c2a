#pragma once
#include <string>
#include <vector>

#include "state/boxes.h"
#include "state/optimizer_shards.h"

namespace weft {

enum class FileKind { kWeights, kOptimizer };

/// A box of a named tensor in this rank's live state: master weights, or a moment.
struct StateBox {
  std::string name;  // as files name it: a weight by its own name, a moment as exp_avg.NAME
  FileKind kind;
  Shape shape;  // of the whole tensor
  Box box;
  Tensor data;  // (elements of box), a view into the flat storage
};

/// All that this rank writes into a checkpoint: its slice of every tensor. A tensor that every tensor-parallel rank holds whole is written
/// by the first of them.
std::vector<StateBox> boxes_to_save(const ParameterSet&, const OptimizerShards&, int tp_rank);
/// All that this rank reads from one: the same, but also what another rank writes for it.
std::vector<StateBox> boxes_to_load(const ParameterSet&, const OptimizerShards&);

/// Names of all tensors of a checkpoint, whichever rank writes them.
std::vector<std::string> names_to_save(const ParameterSet&, const OptimizerShards&);
/// Bytes of all tensors of all ranks.
std::int64_t checkpoint_bytes(const ParameterSet&, const OptimizerShards&);

}  // namespace weft
