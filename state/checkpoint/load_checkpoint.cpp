#include "state/checkpoint/load_checkpoint.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"
#include "state/checkpoint/state_boxes.h"

namespace weft {
namespace {

/// Rank 0 lists; an error there must reach every rank, or the others would wait for ever.
std::vector<std::int64_t> agreed_steps(Storage& storage, const std::string& run_dir, Control& control) {
  Json answer;
  answer.set("error", "").set("steps", Json::array());
  if (control.rank() == 0) {
    try {
      const std::vector<std::int64_t> steps = list_steps(storage, run_dir);
      answer.set("steps", Json::Array(steps.begin(), steps.end()));
    } catch (const StorageError& error) {
      answer.set("error", error.what());
    }
  }
  answer = Json::parse(control.broadcast(answer.dump(), 0), "list of checkpoints");
  if (!answer.at("error").as_string().empty()) throw Error(ExitCode::kStorage, answer.at("error").as_string());
  std::vector<std::int64_t> steps;
  for (const Json& step : answer.at("steps").as_array()) steps.push_back(step.as_int());
  return steps;
}

/// Verifies this rank's share of the checkpoint. Empty when that is damaged, which `damage` then says.
std::optional<CheckpointReader> open_and_verify(Storage& storage, const std::string& folder, const Control& control, std::string& damage) {
  try {
    CheckpointReader reader(storage, folder);
    reader.verify(control.rank(), control.size());
    return reader;
  } catch (const Error& error) {
    damage = error.what();
    return std::nullopt;
  }
}

std::string first_damage(const std::vector<std::string>& of_ranks) {
  const auto found = std::find_if(of_ranks.begin(), of_ranks.end(), [](const std::string& one) { return !one.empty(); });
  return found == of_ranks.end() ? "" : *found;
}

void check_tensor(const CheckpointReader& reader, const std::string& name, const Shape& shape, DType dtype) {
  const StoredTensor* stored = reader.manifest().find(name);
  const std::string expected = fmt::format("{} {}", weft::name(dtype), to_string(shape));
  const std::string found =
      stored == nullptr ? "no such tensor" : fmt::format("{} {}", weft::name(stored->dtype), to_string(stored->shape));
  if (found != expected) fail_input(fmt::format("{}: tensor {}\n  found     {}\n  expected  {}", reader.folder(), name, found, expected));
}

void check_weights(const CheckpointReader& reader, const std::vector<FlatPart>& parts, DType dtype) {
  std::vector<std::string_view> names;
  for (const FlatPart& flat : parts) {
    check_tensor(reader, flat.part->name, flat.part->shape, dtype);
    names.push_back(flat.part->name);
  }
  std::sort(names.begin(), names.end());
  for (const StoredTensor& stored : reader.manifest().tensors) {
    if (is_moment(stored.name) || std::binary_search(names.begin(), names.end(), stored.name)) continue;
    fail_input(
        fmt::format("{}: tensor {} {}\n  expected  no such tensor in this model", reader.folder(), stored.name, to_string(stored.shape)));
  }
}

/// Whether all tensors of a moment are there; the average may be missing, others may not.
bool has_moment(const CheckpointReader& reader, const std::vector<FlatPart>& parts, const Moment& moment) {
  for (const FlatPart& flat : parts) {
    const std::string name = moment.name + "." + flat.part->name;
    if (moment.name == "ema" && reader.manifest().find(name) == nullptr) return false;
    if (reader.manifest().find(name) == nullptr) {
      fail_input(fmt::format("{}: has no {}: it was written with another optimizer\n  expected  the same", reader.folder(), name));
    }
    check_tensor(reader, name, flat.part->shape, moment.flat.dtype);
  }
  return true;
}

void read_box(const CheckpointReader& reader, Context& ctx, const StateBox& state) {
  const Memory host = ctx.device.allocate(state.data.bytes(), MemoryKind::kPinnedHost);
  const Tensor staged = host.tensor(state.data.shape, state.data.dtype);
  reader.read(*reader.manifest().find(state.name), state.box, {staged.data, static_cast<std::size_t>(staged.bytes())});
  ctx.device.copy(ctx.stream, state.data, staged);
  ctx.stream.synchronize();  // before the host memory goes; nothing runs yet
}

bool has_average(const CheckpointReader& reader, const std::vector<FlatPart>& parts) {
  const auto averaged = [&](const FlatPart& flat) { return reader.manifest().find("ema." + flat.part->name) != nullptr; };
  return !parts.empty() && std::all_of(parts.begin(), parts.end(), averaged);
}

std::string stored_name(const FlatPart& flat, bool average) {
  return average ? "ema." + flat.part->name : flat.part->name;
}

void read_weight(const CheckpointReader& reader, Context& ctx, const FlatPart& flat, bool average, ParameterStorage& storage) {
  const std::int64_t count = flat.range.end - flat.range.begin;
  const DType dtype = storage.sum_dtype();
  const Memory host = ctx.device.allocate(count * size_of(dtype), MemoryKind::kPinnedHost);
  const Tensor staged = host.tensor({count}, dtype);
  reader.read(*reader.manifest().find(stored_name(flat, average)), flat.part->box, {staged.data, static_cast<std::size_t>(staged.bytes())});
  storage.set_weights(ctx, flat.range.begin, staged);
}

}  // namespace

bool is_moment(std::string_view name) {
  constexpr std::array<std::string_view, 4> kPrefixes{"exp_avg.", "exp_avg_sq.", "momentum.", "ema."};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::optional<FoundCheckpoint> find_newest(Storage& storage, const std::string& run_dir, Control& control, Log& log) {
  const std::vector<std::int64_t> steps = agreed_steps(storage, run_dir, control);
  std::vector<std::int64_t> damaged;
  std::string reasons;
  for (const std::int64_t step : steps) {
    std::string damage;
    auto reader = open_and_verify(storage, run_dir + "/" + step_folder(step), control, damage);
    const std::string agreed = control.broadcast(first_damage(control.gather(damage, 0)), 0);
    if (agreed.empty()) return FoundCheckpoint{std::move(*reader), std::move(damaged)};
    log.warn_once("resume", fmt::format("step {} is damaged and skipped: {}", step, agreed));
    reasons += fmt::format("\n  {}", agreed);
    damaged.push_back(step);
  }
  if (steps.empty()) return std::nullopt;
  throw Error(ExitCode::kNoCheckpoint, fmt::format("{}: none of {} checkpoints is whole{}", run_dir, steps.size(), reasons));
}

Resumed load_checkpoint(const CheckpointReader& reader, const StateTarget& target) {
  const ParameterSet& parameters = target.storage.parameters();
  const std::vector<FlatPart> parts = flat_parts(parameters);
  check_weights(reader, parts, target.storage.sum_dtype());
  bool average_stored = false;
  if (!target.reset_optimizer) {
    for (const Moment& moment : target.shards.moments()) {
      const bool there = has_moment(reader, parts, moment);
      if (moment.name == "ema") average_stored = there;
    }
  }
  for (const StateBox& state : boxes_to_load(parameters, target.shards)) {
    if (state.kind == FileKind::kOptimizer && target.reset_optimizer) continue;
    if (state.name.starts_with("ema.") && !average_stored) continue;
    read_box(reader, target.ctx, state);
  }
  target.storage.make_values(target.ctx);
  target.shards.gather_values(target.ctx);
  if (target.reset_optimizer) {
    target.shards.initialize(target.ctx);
  } else if (!average_stored) {
    target.shards.initialize_average(target.ctx);
  }
  const Manifest& manifest = reader.manifest();
  return {reader.folder(), manifest.step, manifest.run_state, manifest.run, {}};
}

std::optional<Resumed> load_newest(Storage& storage, const std::string& run_dir, Control& control, Log& log, const StateTarget& target) {
  std::optional<FoundCheckpoint> found = find_newest(storage, run_dir, control, log);
  if (!found) return std::nullopt;
  Resumed resumed = load_checkpoint(found->reader, target);
  resumed.damaged = std::move(found->damaged);
  return resumed;
}

void verify_weights(const CheckpointReader& reader) {
  const Manifest& manifest = reader.manifest();
  const auto average_of = [&](const StoredTensor& tensor) { return manifest.find("ema." + tensor.name); };
  const auto is_weight = [](const StoredTensor& tensor) { return !is_moment(tensor.name); };
  const bool average =
      std::ranges::all_of(manifest.tensors, [&](const StoredTensor& tensor) { return !is_weight(tensor) || average_of(tensor); });
  for (const StoredTensor& tensor : manifest.tensors) {
    if (is_weight(tensor)) reader.verify(average ? *average_of(tensor) : tensor);
  }
}

void load_weights(const CheckpointReader& reader, Context& ctx, ParameterStorage& storage) {
  const std::vector<FlatPart> parts = flat_parts(storage.parameters());
  check_weights(reader, parts, storage.sum_dtype());
  const bool average = has_average(reader, parts);
  for (const FlatPart& flat : parts) {
    if (average) check_tensor(reader, stored_name(flat, average), flat.part->shape, storage.sum_dtype());
    read_weight(reader, ctx, flat, average, storage);
  }
}

Untaken load_fitting_weights(const CheckpointReader& reader, Context& ctx, ParameterStorage& storage) {
  std::vector<FlatPart> fitting;
  Untaken untaken;
  for (const FlatPart& flat : flat_parts(storage.parameters())) {
    const StoredTensor* stored = reader.manifest().find(flat.part->name);
    if (stored == nullptr) {
      untaken.missing.push_back(flat.part->name);
    } else if (stored->shape != flat.part->shape || stored->dtype != storage.sum_dtype()) {
      untaken.other_shape.push_back(flat.part->name);
    } else {
      fitting.push_back(flat);
    }
  }
  const bool average = has_average(reader, fitting);
  for (const FlatPart& flat : fitting) read_weight(reader, ctx, flat, average, storage);
  return untaken;
}

}  // namespace weft
