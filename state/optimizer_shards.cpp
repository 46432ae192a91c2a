#include "state/optimizer_shards.h"

#include <algorithm>

#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"
#include "runtime/kernels/optimizer.h"
#include "runtime/step_state.h"
#include "state/boxes.h"

namespace weft {
namespace {

std::vector<std::string> moment_names(const OptimizerConfig& config) {
  std::vector<std::string> names;
  if (config.kind != OptimizerKind::kSgd) {
    names = {"exp_avg", "exp_avg_sq"};
  } else if (config.momentum != 0) {
    names = {"momentum"};
  }
  if (config.ema_decay != 0) names.push_back("ema");
  return names;
}

/// Those of which this rank holds something: an empty piece begins where the next parameter does, and would stand anywhere among them.
std::vector<const Parameter*> saved_in_order(const ParameterSet& set) {
  std::vector<const Parameter*> parameters;
  for (const Parameter& parameter : set.parameters()) {
    if (parameter.saved && parameter.shape.elements() > 0) parameters.push_back(&parameter);
  }
  std::sort(parameters.begin(), parameters.end(), [](const Parameter* a, const Parameter* b) { return a->offset < b->offset; });
  return parameters;
}

/// What rank tp > 0 counts: the first one counts what all of them hold. The padding between two parts is zeros.
std::vector<FlatRange> cut_ranges(const ParameterSet& set) {
  std::vector<FlatRange> ranges;
  bool joins = false;
  for (const FlatPart& flat : flat_parts(set)) {
    if (flat.range.begin == flat.range.end) continue;
    const bool cut = !is_whole(*flat.part);
    if (cut && joins) {
      ranges.back().end = flat.range.end;
    } else if (cut) {
      ranges.push_back(flat.range);
    }
    joins = cut;
  }
  return ranges;
}

FlatRange shared(FlatRange a, FlatRange b) {
  return {std::max(a.begin, b.begin), std::min(a.end, b.end)};
}

Tensor gradient_of(const Slice& slice, FlatRange range) {
  return slice.gradient.rows(range.begin - slice.range.begin, range.end - range.begin);
}

}  // namespace

OptimizerShards::OptimizerShards(const OptimizerConfig& config, ParameterStorage& storage, const Mesh& mesh, Device& device)
    : config_(config), storage_(storage), world_(*mesh.world), dp_(*mesh.dp) {
  const bool shared_out = storage.layout().sharded(), cut = mesh.tp->size() > 1;
  norm_of_all_ = shared_out || cut;
  const bool copy = cut && !shared_out && mesh.dp->rank() > 0;  // of what the first dp rank counts
  if (!copy) counted_ = mesh.tp->rank() > 0 ? cut_ranges(storage.parameters()) : std::vector{FlatRange{0, storage.parameters().elements()}};
  bool joins = false;  // the padding between two parameters is zeros, which every update keeps: a segment may run over it
  for (const Parameter* parameter : saved_in_order(storage.parameters())) {
    const FlatRange range{parameter->offset, parameter->offset + parameter->shape.elements()};
    if (parameter->trained && joins && segments_.back().decayed == parameter->decayed) {
      segments_.back().range.end = range.end;
    } else if (parameter->trained) {
      segments_.push_back({range, parameter->decayed});
    }
    joins = parameter->trained;
  }
  const std::int64_t count = storage.layout().updated_elements();
  for (const std::string& name : moment_names(config)) {
    memory_.push_back(device.allocate(count * size_of(storage.sum_dtype()), MemoryKind::kDevice));
    moments_.push_back({name, memory_.back().tensor({count}, storage.sum_dtype())});
  }
}

void OptimizerShards::initialize(Context& ctx) {
  for (const Moment& moment : moments_) kernels::fill_zero(ctx, {.y = moment.flat});
  initialize_average(ctx);
}

void OptimizerShards::initialize_average(Context& ctx) {
  if (!has_average()) return;
  for (const FlatRange owned : storage_.layout().updated()) ctx.device.copy(ctx.stream, part("ema", owned), storage_.masters(owned));
}

Tensor OptimizerShards::part(const Moment& moment, FlatRange range) const {
  return moment.flat.rows(storage_.layout().offset_in_shard(range), range.end - range.begin);
}

Tensor OptimizerShards::part(std::string_view name, FlatRange range) const {
  const auto found = std::find_if(moments_.begin(), moments_.end(), [&](const Moment& one) { return one.name == name; });
  return found == moments_.end() ? Tensor{} : part(*found, range);
}

void OptimizerShards::update(Context& ctx, std::span<const Slice> slices) {
  if (average_in_use_) fail("an update while the average stands in place of the master weights");
  sum_squares(ctx, slices);
  kernels::finish_norm(ctx, {.max_grad_norm = config_.max_grad_norm});
  for (const Slice& slice : slices) {
    for (const Segment& segment : segments_) {
      const FlatRange range = shared(slice.range, segment.range);
      if (range.begin < range.end) update_segment(ctx, {range, segment.decayed}, gradient_of(slice, range));
    }
  }
  gather_values(ctx);
}

/// One sum over all ranks, so that each has the same bits of it, wherever the ranks of its row and column are.
void OptimizerShards::sum_squares(Context& ctx, std::span<const Slice> slices) {
  for (const Slice& slice : slices) {
    for (const FlatRange counted : counted_) {
      const FlatRange range = shared(slice.range, counted);
      if (range.begin < range.end) kernels::sum_of_squares(ctx, {.x = gradient_of(slice, range)});
    }
  }
  if (norm_of_all_) world_.all_reduce(ctx.stream, ctx.step_state.rows(StepState::kSumOfSquares, 1));
}

void OptimizerShards::update_segment(Context& ctx, const Segment& segment, Tensor gradient) {
  const FlatRange range = segment.range;
  const Tensor master = storage_.masters(range);
  const Tensor value = storage_.values().rows(range.begin, range.end - range.begin);
  const double decay = segment.decayed ? config_.weight_decay : 0;
  if (config_.kind == OptimizerKind::kSgd) {
    kernels::sgd_update(ctx, {.gradient = gradient,
                              .master = master,
                              .momentum_buffer = part("momentum", range),
                              .value = value,
                              .momentum = config_.momentum,
                              .nesterov = config_.nesterov,
                              .weight_decay = decay});
  } else {
    kernels::adam_update(ctx, {.gradient = gradient,
                               .master = master,
                               .exp_avg = part("exp_avg", range),
                               .exp_avg_sq = part("exp_avg_sq", range),
                               .value = value,
                               .beta1 = config_.adam_beta1,
                               .beta2 = config_.adam_beta2,
                               .eps = config_.adam_eps,
                               .weight_decay = decay,
                               .decoupled = config_.kind == OptimizerKind::kAdamW});
  }
  if (has_average()) kernels::ema_update(ctx, {.master = master, .average = part("ema", range), .decay = config_.ema_decay});
}

/// In forward order: the next forward needs the first block first.
void OptimizerShards::gather_values(Context& ctx) {
  const ShardLayout& layout = storage_.layout();
  if (!layout.sharded()) return;
  const auto values = [&](FlatRange range) { return storage_.values().rows(range.begin, range.end - range.begin); };
  for (auto bucket = layout.buckets().rbegin(); bucket != layout.buckets().rend(); ++bucket) {
    dp_.all_gather(ctx.stream, values(layout.slice(*bucket)), values(bucket->range));
  }
}

void OptimizerShards::exchange_average(Context& ctx) {
  if (!has_average()) fail("there is no average to exchange: training.ema_decay is 0");
  for (const FlatRange owned : storage_.layout().updated()) {
    kernels::exchange(ctx, {.a = storage_.masters(owned), .b = part("ema", owned)});
  }
  storage_.make_values(ctx);
  gather_values(ctx);
  average_in_use_ = !average_in_use_;
}

}  // namespace weft
