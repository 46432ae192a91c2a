#include "state/checkpoint/state_boxes.h"

#include <algorithm>

namespace weft {
namespace {

/// Boxes of what `tensor_of(range)` holds: the elements of a range of the flat storage.
template <class TensorOf>
void append_boxes(std::vector<StateBox>& boxes, const std::vector<FlatPart>& parts, FileKind kind, const std::string& prefix,
                  FlatRange range, TensorOf tensor_of) {
  for (const FlatPart& flat : parts) {
    const FlatRange shared{std::max(flat.range.begin, range.begin), std::min(flat.range.end, range.end)};
    if (shared.begin >= shared.end) continue;
    const Tensor data = tensor_of(shared);
    std::int64_t place = 0;
    for (const Box& box : boxes_of_range(flat.part->box, shared.begin - flat.range.begin, shared.end - flat.range.begin)) {
      boxes.push_back({prefix + flat.part->name, kind, flat.part->shape, box, data.rows(place, elements(box))});
      place += elements(box);
    }
  }
}

std::vector<StateBox> all_boxes(const std::vector<FlatPart>& parts, const OptimizerShards& shards, std::span<const FlatRange> ranges) {
  std::vector<StateBox> boxes;
  for (const FlatRange range : ranges) {
    append_boxes(boxes, parts, FileKind::kWeights, "", range, [&](FlatRange r) { return shards.storage().masters(r); });
  }
  for (const Moment& moment : shards.moments()) {
    for (const FlatRange range : ranges) {
      append_boxes(boxes, parts, FileKind::kOptimizer, moment.name + ".", range, [&](FlatRange r) { return shards.part(moment, r); });
    }
  }
  return boxes;
}

}  // namespace

std::vector<StateBox> boxes_to_save(const ParameterSet& set, const OptimizerShards& shards, int tp_rank) {
  std::vector<FlatPart> parts = flat_parts(set);
  if (tp_rank != 0) std::erase_if(parts, [](const FlatPart& flat) { return is_whole(*flat.part); });
  return all_boxes(parts, shards, shards.storage().layout().stored());
}

std::vector<StateBox> boxes_to_load(const ParameterSet& set, const OptimizerShards& shards) {
  return all_boxes(flat_parts(set), shards, shards.storage().layout().updated());
}

std::vector<std::string> names_to_save(const ParameterSet& set, const OptimizerShards& shards) {
  std::vector<std::string> names;
  for (const FlatPart& flat : flat_parts(set)) {
    names.push_back(flat.part->name);
    for (const Moment& moment : shards.moments()) names.push_back(moment.name + "." + flat.part->name);
  }
  return names;
}

std::int64_t checkpoint_bytes(const ParameterSet& set, const OptimizerShards& shards) {
  std::int64_t elements_of_weights = 0;
  for (const FlatPart& flat : flat_parts(set)) elements_of_weights += flat.part->shape.elements();
  return elements_of_weights * size_of(shards.storage().sum_dtype()) * (1 + static_cast<std::int64_t>(shards.moments().size()));
}

}  // namespace weft
