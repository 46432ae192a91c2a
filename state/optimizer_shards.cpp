#include "state/optimizer_shards.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"
#include "runtime/kernels/optimizer.h"

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

std::vector<const Parameter*> trained_in_order(const ParameterSet& set) {
  std::vector<const Parameter*> parameters;
  for (const Parameter& parameter : set.parameters()) {
    if (parameter.saved && parameter.trained) parameters.push_back(&parameter);
  }
  std::sort(parameters.begin(), parameters.end(), [](const Parameter* a, const Parameter* b) { return a->offset < b->offset; });
  return parameters;
}

}  // namespace

OptimizerShards::OptimizerShards(const OptimizerConfig& config, ParameterStorage& storage, Device& device)
    : config_(config), storage_(storage), range_{0, storage.masters().size(0)} {
  for (const Parameter* parameter : trained_in_order(storage.parameters())) {
    const FlatRange range{parameter->offset, parameter->offset + parameter->shape.elements()};
    // The padding between two parameters is zeros, which every update keeps: a segment may run over it.
    const std::int64_t gap = segments_.empty() ? 0 : range.begin - segments_.back().range.end;
    if (!segments_.empty() && segments_.back().decayed == parameter->decayed && gap < ParameterSet::kAlignment) {
      segments_.back().range.end = range.end;
    } else {
      segments_.push_back({range, parameter->decayed});
    }
  }
  const std::int64_t count = range_.end - range_.begin;
  const DType dtype = storage.masters().dtype;
  for (const std::string& name : moment_names(config)) {
    memory_.push_back(device.allocate(count * size_of(dtype), MemoryKind::kDevice));
    moments_.push_back({name, memory_.back().tensor({count}, dtype)});
  }
  if (config.ema_decay != 0) average_ = moments_.back().flat;
}

void OptimizerShards::initialize(Context& ctx) {
  for (const Moment& moment : moments_) kernels::fill_zero(ctx, {.y = moment.flat});
  initialize_average(ctx);
}

void OptimizerShards::initialize_average(Context& ctx) {
  if (has_average()) ctx.device.copy(ctx.stream, average_, masters());
}

Tensor OptimizerShards::moment(std::string_view name) const {
  const auto found = std::find_if(moments_.begin(), moments_.end(), [&](const Moment& one) { return one.name == name; });
  return found == moments_.end() ? Tensor{} : found->flat;
}

void OptimizerShards::update(Context& ctx, std::span<const Slice> slices) {
  if (average_in_use_) fail("an update while the average stands in place of the master weights");
  for (const Slice& slice : slices) kernels::sum_of_squares(ctx, {.x = slice.gradient});
  kernels::finish_norm(ctx, {.max_grad_norm = config_.max_grad_norm});
  for (const Slice& slice : slices) {
    for (const Segment& segment : segments_) {
      const Segment part{{std::max(slice.range.begin, segment.range.begin), std::min(slice.range.end, segment.range.end)}, segment.decayed};
      if (part.range.begin >= part.range.end) continue;
      update_segment(ctx, part, slice.gradient.rows(part.range.begin - slice.range.begin, part.range.end - part.range.begin));
    }
  }
}

void OptimizerShards::update_segment(Context& ctx, const Segment& segment, Tensor gradient) {
  if (segment.range.begin < range_.begin || segment.range.end > range_.end) {
    fail(fmt::format("elements {} .. {} are not in this rank's slice {} .. {}", segment.range.begin, segment.range.end, range_.begin,
                     range_.end));
  }
  const std::int64_t count = segment.range.end - segment.range.begin;
  const auto part = [&](Tensor flat) { return flat.defined() ? flat.rows(segment.range.begin - range_.begin, count) : flat; };
  const Tensor master = part(masters());
  const Tensor value = storage_.values().rows(segment.range.begin, count);
  const double decay = segment.decayed ? config_.weight_decay : 0;
  if (config_.kind == OptimizerKind::kSgd) {
    kernels::sgd_update(ctx, {.gradient = gradient,
                              .master = master,
                              .momentum_buffer = part(moment("momentum")),
                              .value = value,
                              .momentum = config_.momentum,
                              .nesterov = config_.nesterov,
                              .weight_decay = decay});
  } else {
    kernels::adam_update(ctx, {.gradient = gradient,
                               .master = master,
                               .exp_avg = part(moment("exp_avg")),
                               .exp_avg_sq = part(moment("exp_avg_sq")),
                               .value = value,
                               .beta1 = config_.adam_beta1,
                               .beta2 = config_.adam_beta2,
                               .eps = config_.adam_eps,
                               .weight_decay = decay,
                               .decoupled = config_.kind == OptimizerKind::kAdamW});
  }
  if (has_average()) kernels::ema_update(ctx, {.master = master, .average = part(average_), .decay = config_.ema_decay});
}

void OptimizerShards::exchange_average(Context& ctx) {
  if (!has_average()) fail("there is no average to exchange: training.ema_decay is 0");
  kernels::exchange(ctx, {.a = masters(), .b = average_});
  storage_.make_values(ctx);
  average_in_use_ = !average_in_use_;
}

}  // namespace weft
