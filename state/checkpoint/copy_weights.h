#pragma once
#include <string>

#include "runtime/files/storage.h"
#include "state/checkpoint/checkpoint_reader.h"
#include "state/checkpoint/checkpoint_writer.h"

namespace weft {

inline constexpr const char* kModelFile = "model.safetensors";

/// Writes the weights of a checkpoint, the averaged ones where there are any, whole and under their own names into
/// FOLDER/model.safetensors: what `load_weights` would load, in the dtype of the masters. The file is synced. Returns what a manifest says
/// of it.
Inventory copy_weights(const CheckpointReader&, Storage&, const std::string& folder);

}  // namespace weft
