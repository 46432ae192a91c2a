#include "launcher/verbs/run_directory_setup.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "data/prepare/prepare.h"
#include "data/text/output_file.h"
#include "data/text/text_file.h"
#include "launcher/config/changes.h"
#include "launcher/ranks/together.h"
#include "launcher/verbs/model_path.h"
#include "runtime/error.h"
#include "runtime/files/checksum.h"
#include "state/checkpoint/checkpoint_reader.h"
#include "state/checkpoint/run_directory.h"
#include "training/run_state.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string hex(std::uint64_t fingerprint) {
  return fmt::format("{:016x}", fingerprint);
}

}  // namespace

void make_run_directory(const std::string& run_dir) {
  const fs::path folder(run_dir);
  std::error_code error;
  if (fs::exists(folder, error)) {
    if (!fs::is_directory(folder, error))
      fail_input(fmt::format("{}: not a folder\n  expected  run_dir: a folder, or a name that is free", run_dir));
    return;
  }
  if (fs::is_symlink(fs::symlink_status(folder, error))) {
    fail_input(fmt::format("{}: is a symbolic link to {}, which is not there\n  expected  run_dir: a folder, or a name that is free",
                           run_dir, fs::read_symlink(folder, error).string()));
  }
  error.clear();
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  if (!error) fs::create_directory(folder, error);
  if (error) fail_input(fmt::format("{}: cannot be made: {}", run_dir, error.message()));
  fs::permissions(folder, fs::perms::owner_all, error);
}

void write_run_files(RunFiles& files, const Config& config, const PreparedData& data, const std::string& prepared_folder) {
  files.write("config.yaml", dump_config(config));
  const VocabularyFiles from = vocabulary_files(prepared_folder, data.shared_vocabulary);
  for (const std::string& path : {from.source, from.target}) files.write(fs::path(path).filename().string(), read_whole_file(path));
}

void require_same_model(const std::string& recorded_config, const Config& config, const std::string& checkpoint) {
  const std::string changes = changes_of(recorded_config, config).model;
  if (changes.empty()) return;
  fail_input(fmt::format("{}: is of another model\n  found     {}\n  expected  the model of the checkpoint, or another run_dir", checkpoint,
                         changes));
}

namespace {

/// The corpus that a resume from the newest checkpoint whose manifest can be read must find; empty: there is no checkpoint, or
/// checkpoint.reset allows other data.
std::string required_corpus(const CheckpointConfig& config, Storage& storage, const std::string& run_dir) {
  std::exception_ptr failure;
  for (const std::int64_t step : list_steps(storage, run_dir)) {
    try {
      const CheckpointReader reader(storage, run_dir + "/" + step_folder(step));
      if (pending_reset(config, reader.manifest()).data) return "";
      return reader.manifest().run.fingerprints.at("corpus").as_string();
    } catch (const Error&) {  // an older one may do
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  return "";
}

/// Empty when it is not whole.
std::string corpus_in(const std::string& prepared_folder) {
  try {
    return hex(Dataset(prepared_folder + "/train").fingerprint());
  } catch (const Error&) {
    return "";
  }
}

/// The text that a run was trained on is not given up for another, nor its vocabulary.
void require_replaceable(const PrepareConfig& prepared, PreparedState state, const RunFiles& files, const Config& config,
                         Storage& storage) {
  if (state != PreparedState::kOther || !files.has_checkpoints()) return;
  const std::string trained = required_corpus(config.checkpoint, storage, config.run_dir);
  if (trained.empty() || trained != corpus_in(prepared.folder)) return;
  fail_input(fmt::format(
      "{0}: was made of other text or with other settings (vocab, data, model.max_length)\n  found     checkpoints trained on it\n"
      "  expected  the same text and settings, or data.prepared: {0} in place of data.train, or another run_dir; "
      "checkpoint.reset: [data] goes on with other text",
      prepared.folder));
}

/// The vocabularies of the prepared data go into the run directory: what lies there must be the same.
void require_same_vocabularies(const RunFiles& files, const std::string& prepared_folder) {
  for (const bool shared : {true, false}) {
    const VocabularyFiles from = vocabulary_files(prepared_folder, shared);
    for (const std::string& path : {from.source, from.target}) {
      if (std::error_code error; fs::exists(path, error)) files.require_own(fs::path(path).filename().string(), read_whole_file(path));
    }
  }
}

void say_checked(const PreparedCheck& found, const std::string& folder, Log& log) {
  if (!found.read.empty() && found.state == PreparedState::kWhole) {
    log.info("prepare",
             fmt::format("{}: the checksums of {} files hold that were new or touched since the last look", folder, found.read.size()));
  }
  if (found.state == PreparedState::kDamaged) log.warn("prepare", found.damage + "; prepared again");
}

/// A run that has begun keeps its vocabulary, also one from before vocab.normalization could be chosen.
void keep_normalization(PrepareConfig& prepared, const std::string& run_dir, Storage& storage, Log& log) {
  if (prepared.vocab.normalization != TextNormalization::kIdentity || !learns_vocabulary(prepared.vocab)) return;
  if (!learned_with_nmt_nfkc(prepared.folder) || list_steps(storage, run_dir).empty()) return;
  prepared.vocab.normalization = TextNormalization::kNmtNfkc;
  log.warn("prepare", prepared.folder + ": its vocabulary was learned with vocab.normalization: nmt_nfkc, which stays so in this run");
}

}  // namespace

std::string prepare_when_needed(const Config& config, const RunFiles& files, const VocabularyFiles& initial, Storage& storage, Log& log) {
  if (!config.data.prepared.empty()) {
    const PreparedCheck found = check_prepared_folder(config.data.prepared);
    if (found.state == PreparedState::kDamaged) fail_input(found.damage + "\n  expected  whole data: prepare them again");
    say_checked(found, config.data.prepared, log);
    require_same_vocabularies(files, config.data.prepared);
    return config.data.prepared;
  }
  PrepareConfig prepare_config{.data = config.data,
                               .vocab = config.vocab,
                               .limits = {.source = config.model.max_length, .target = config.model.max_length},
                               .folder = config.run_dir + "/prepared",
                               .ready = initial.source.empty() ? files.ready_vocabularies(config.vocab.share_vocab) : initial};
  keep_normalization(prepare_config, config.run_dir, storage, log);
  const PreparedCheck found = check_prepared(prepare_config);
  say_checked(found, prepare_config.folder, log);
  if (found.state == PreparedState::kWhole) return prepare_config.folder;
  require_replaceable(prepare_config, found.state, files, config, storage);
  log.info("prepare", prepare_config.folder + ": learning the vocabulary and binarising the text");
  const PrepareReport report = prepare(prepare_config);
  for (const std::string& line : account_of(report)) log.info("prepare", line);
  for (const std::string& warning : report.warnings) log.warn("prepare", warning);
  return prepare_config.folder;
}

std::optional<FoundCheckpoint> find_start(const Config& config, Storage& storage, Control& control, Log& log) {
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
  if (control.agree({newest})[0] >= 0) return find_newest(storage, config.run_dir, control, log);
  if (resume == "auto" || resume == "never") return std::nullopt;
  std::optional<FoundCheckpoint> named;
  together(control, [&] {
    if (const auto steps = list_steps(storage, resume); !steps.empty() && !fs::exists(resume + "/manifest.json")) {
      fail_input(fmt::format("checkpoint.resume: {} is a run directory\n  expected  one of its checkpoints, for example {}/{}", resume,
                             resume, step_folder(steps.front())));
    }
    named.emplace(FoundCheckpoint{.reader = CheckpointReader(storage, resume), .damaged = {}});
    named->reader.verify(control.rank(), control.size());
  });
  return named;
}

void require_fitting(const Config& config, const PreparedData& data, const std::string& folder) {
  const auto words = [](bool shared) { return shared ? "one vocabulary for both sides" : "a vocabulary for each side"; };
  if (data.shared_vocabulary != config.vocab.share_vocab) {
    fail_input(fmt::format("vocab.share_vocab: does not go with {}\n  found     {}\n  expected  {}, or vocab.share_vocab: {}", folder,
                           words(data.shared_vocabulary), words(config.vocab.share_vocab), data.shared_vocabulary));
  }
  for (const Dataset* set : {&data.train, data.valid ? &*data.valid : &data.train}) {
    const std::int64_t longest = std::max(set->max_length(Side::kSource), set->max_length(Side::kTarget));
    if (longest <= config.model.max_length) continue;
    fail_input(
        fmt::format("model.max_length: {} is less than {} holds\n  found     a sentence of {} tokens\n  expected  at least so many, or "
                    "data that are prepared with this model.max_length",
                    config.model.max_length, folder, longest));
  }
}

Json fingerprints(const PreparedData& data) {
  Json json = Json::object();
  json.set("corpus", hex(data.train.fingerprint()));
  json.set("source_vocabulary", hex(data.source.fingerprint()));
  json.set("target_vocabulary", hex(data.target.fingerprint()));
  return json;
}

std::string validation_fingerprint(const PreparedData& data) {
  if (!data.valid) return "";
  return fmt::format("{} {} {}", hex(data.valid->fingerprint()), checksum(read_whole_file(data.valid_text.src)).hex(),
                     checksum(read_whole_file(data.valid_text.tgt)).hex());
}

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

Reset pending_reset(const CheckpointConfig& config, const Manifest& manifest) {
  return without(config.reset, recorded_reset(manifest.run_state));
}

std::string find_initial(const Config& config, const RunFiles& files, Storage& storage, Log& log) {
  const std::string& path = config.checkpoint.init_from;
  if (path.empty()) return "";
  if (!files.has_checkpoints()) return find_model(storage, path, "checkpoint.init_from");
  log.info("init", fmt::format("checkpoint.init_from is not read: {} has checkpoints of its own", config.run_dir));
  return "";
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

}  // namespace weft
