#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "data/prepare/prepared.h"
#include "data/prepare/prepared_json.h"
#include "launcher/ranks/job.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "state/checkpoint/checkpoint_reader.h"
#include "state/checkpoint/run_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

Json describe_checkpoint(const CheckpointSummary& summary) {
  const Manifest& manifest = summary.manifest;
  Json json = Json::object();
  json.set("step", manifest.step).set("bytes", manifest.bytes()).set("version", manifest.run.version);
  json.set("seed", static_cast<std::int64_t>(manifest.run.seed)).set("layout", manifest.run.layout).set("chosen", manifest.run.chosen);
  json.set("fingerprints", manifest.run.fingerprints).set("run_state", manifest.run_state);
  Json tensors = Json::array();
  for (const StoredTensor& tensor : manifest.tensors) {
    Json entry = Json::object();
    entry.set("name", tensor.name).set("dtype", std::string(name(tensor.dtype))).set("shape", to_string(tensor.shape));
    entry.set("boxes", static_cast<std::int64_t>(tensor.boxes.size())).set("checksum", tensor.checksum().hex());
    tensors.push_back(std::move(entry));
  }
  json.set("tensors", std::move(tensors)).set("config", manifest.run.config);
  json.set("whole", summary.damage.empty()).set("damage", summary.damage);
  return json;
}

int inspect_one(Storage& storage, const std::string& folder, bool as_json) {
  const CheckpointSummary summary = inspect_checkpoint(storage, folder);
  const int code = static_cast<int>(summary.damage.empty() ? ExitCode::kDone : ExitCode::kNoCheckpoint);
  if (as_json) {
    fmt::print("{}\n", describe_checkpoint(summary).dump());
    return code;
  }
  const Manifest& manifest = summary.manifest;
  for (const StoredTensor& tensor : manifest.tensors) {
    fmt::print("{:<56} {:<9} {:<16} {} {}\n", tensor.name, name(tensor.dtype), to_string(tensor.shape),
               tensor.boxes.size() == 1 ? "1 box  " : fmt::format("{} boxes", tensor.boxes.size()), tensor.checksum().hex());
  }
  fmt::print("{}: step {}, {} tensors, {}, weft {}, chosen {}\n", folder, manifest.step, manifest.tensors.size(),
             bytes_text(manifest.bytes()), manifest.run.version, manifest.run.chosen.dump());
  fmt::print("{}\n", summary.damage.empty() ? "every checksum holds" : "damaged: " + summary.damage);
  return code;
}

int inspect_run(Storage& storage, const std::string& folder, const std::vector<std::int64_t>& steps, bool as_json) {
  bool damaged = false;
  for (const std::int64_t step : steps) {
    const CheckpointSummary summary = inspect_checkpoint(storage, folder + "/" + step_folder(step));
    damaged |= !summary.damage.empty();
    if (as_json) {
      Json json = Json::object();
      json.set("step", step).set("bytes", summary.manifest.bytes()).set("whole", summary.damage.empty()).set("damage", summary.damage);
      fmt::print("{}\n", json.dump());
      continue;
    }
    fmt::print("{}  {:>8}  {}\n", step_folder(step), bytes_text(summary.manifest.bytes()),
               summary.damage.empty() ? "whole" : "damaged: " + summary.damage);
  }
  return static_cast<int>(damaged ? ExitCode::kNoCheckpoint : ExitCode::kDone);
}

int inspect_prepared(const std::string& folder, bool as_json) {
  const PreparedData data = open_prepared(folder, VocabConfig{.share_vocab = fs::exists(vocabulary_files(folder, true).source)});
  data.train.verify();
  if (data.valid) data.valid->verify();
  if (as_json) {
    Json json = Json::object();
    json.set("train", to_json(data.train_account));
    if (data.valid) json.set("valid", to_json(data.valid_account));
    json.set("source_pieces", data.source.size()).set("target_pieces", data.target.size()).set("shared_vocabulary", data.shared_vocabulary);
    fmt::print("{}\n", json.dump());
    return static_cast<int>(ExitCode::kDone);
  }
  fmt::print("train: {}\n", describe(data.train_account));
  if (data.valid) fmt::print("valid: {}\n", describe(data.valid_account));
  fmt::print("vocabulary: {} source, {} target pieces{}\n", data.source.size(), data.target.size(),
             data.shared_vocabulary ? ", shared" : "");
  fmt::print("every checksum holds\n");
  return static_cast<int>(ExitCode::kDone);
}

/// What `weft inspect` is asked.
struct InspectOptions {
  std::string path;
  bool json = false;
};

int run_inspect(const InspectOptions& asked) {
  if (asked.path.empty()) fail_input("inspect: no path\n  expected  weft inspect PATH");
  if (!fs::is_directory(asked.path))
    fail_input(asked.path + ": no such folder\n  expected  a checkpoint, a run directory or a prepared folder");
  const std::unique_ptr<Storage> storage = make_posix_storage();
  if (fs::exists(asked.path + "/manifest.json")) return inspect_one(*storage, asked.path, asked.json);
  if (fs::exists(asked.path + "/prepared.json")) return inspect_prepared(asked.path, asked.json);
  const std::vector<std::int64_t> steps = list_steps(*storage, asked.path);
  if (!steps.empty()) return inspect_run(*storage, asked.path, steps, asked.json);
  fail_input(asked.path + ": holds no checkpoint\n  expected  a checkpoint, a run directory or a prepared folder");
}

}  // namespace

Action inspect_verb(Options& options) {
  const auto asked = std::make_shared<InspectOptions>();
  options.path("path", asked->path, "PATH", "a checkpoint, an exported model, a run directory or a prepared folder");
  options.flag("--json", asked->json, "one JSON object a line");
  return [asked] { return on_one_rank([&](const Job&) { return run_inspect(*asked); }); };
}

}  // namespace weft
