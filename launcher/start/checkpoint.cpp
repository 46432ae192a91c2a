#include "launcher/start/checkpoint.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "launcher/config/changes.h"
#include "launcher/config/checks.h"
#include "launcher/ranks/together.h"
#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"
#include "training/run_state.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::optional<FoundCheckpoint> find_start(const StartUp& start) {
  const Config& config = start.config;
  Storage& storage = start.storage;
  Control& control = start.job.control();
  const std::string& resume = config.checkpoint.resume;
  std::int64_t newest = -1;
  on_root(control, [&] {
    const std::vector<std::int64_t> steps = list_steps(storage, config.run_dir);
    if (!steps.empty()) newest = steps.front();
    if (resume == "never" && newest >= 0) {
      fail_input(fmt::format("checkpoint.resume: never, and {} holds step {}\n  expected  another run_dir, or resume: auto", config.run_dir,
                             newest));
    }
  });
  std::optional<FoundCheckpoint> found;
  if (control.agree({newest})[0] >= 0) {
    together(control, [&] { found = find_newest(storage, config.run_dir, control, start.log); });
    return found;
  }
  if (resume == "auto" || resume == "never") return std::nullopt;
  together(control, [&] {
    if (const auto steps = list_steps(storage, resume); !steps.empty() && !fs::exists(resume + "/manifest.json")) {
      fail_input(fmt::format("checkpoint.resume: {} is a run directory\n  expected  one of its checkpoints, for example {}/{}", resume,
                             resume, step_folder(steps.front())));
    }
    found.emplace(FoundCheckpoint{.reader = CheckpointReader(storage, resume), .damaged = {}});
    found->reader.verify(control.rank(), control.size());
  });
  return found;
}

void require_same_model(const std::string& recorded_config, const Config& config, const std::string& checkpoint) {
  const std::string changes = changes_of(recorded_config, config).model;
  if (changes.empty()) return;
  fail_input(fmt::format("{}: belongs to another model\n  found     {}\n  expected  the model of the checkpoint, or another run_dir",
                         checkpoint, changes));
}

/// `other_corpus`: it may be another one, but the vocabularies stay.
void require_same_data(const Json& recorded, const Json& now, const std::string& checkpoint, bool other_corpus) {
  std::string text;
  for (const Json::Member& member : now.as_object()) {
    const std::string& before = recorded.at(member.key).as_string();
    if (before == member.value.as_string() || (other_corpus && member.key == "corpus")) continue;
    text += fmt::format("\n  {:<9} {} of the checkpoint, {} now", member.key, before, member.value.as_string());
  }
  if (text.empty()) return;
  fail_input(
      fmt::format("{}: was trained on other data{}\n  expected  the same text and vocabulary, or another run_dir", checkpoint, text));
}

void require_initial_vocabularies(const CheckpointReader& initial, const Json& data_fingerprints) {
  for (const char* name : {"source_vocabulary", "target_vocabulary"}) {
    if (initial.manifest().run.fingerprints.at(name) == data_fingerprints.at(name)) continue;
    fail_input(fmt::format(
        "checkpoint.init_from: {} has another {}\n  expected  data made with its vocabulary: no vocab.src and vocab.tgt, and no "
        "data.prepared made with another",
        initial.folder(), std::string_view(name).starts_with("source") ? "source vocabulary" : "target vocabulary"));
  }
}

}  // namespace

Reset pending_reset(const CheckpointConfig& config, const Manifest& manifest) {
  return without(config.reset, recorded_reset(manifest.run_state));
}

Beginning find_checkpoint(const StartUp& start, const Claim& claim, const Text& text) {
  Beginning beginning;
  beginning.found = find_start(start);
  together(start.job.control(), [&] {
    if (const RunIdentity* recorded = beginning.recorded()) {
      const CheckpointReader& reader = beginning.found->reader;
      beginning.reset = pending_reset(start.config.checkpoint, reader.manifest());
      require_same_data(recorded->fingerprints, text.fingerprints, reader.folder(), beginning.reset.data);
      require_same_model(recorded->config, start.config, reader.folder());
    } else if (!claim.initial.empty()) {
      beginning.initial.emplace(start.storage, claim.initial);
      verify_weights(*beginning.initial);
      require_initial_vocabularies(*beginning.initial, text.fingerprints);
    }
    if (!text.data.valid) require_no_validation_keys(start.config, text.folder);
  });
  return beginning;
}

}  // namespace weft
