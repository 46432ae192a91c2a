#include "launcher/start/text.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "data/prepare/prepare.h"
#include "data/text/text_file.h"
#include "launcher/ranks/together.h"
#include "launcher/start/checkpoint.h"
#include "launcher/start/model_path.h"
#include "runtime/error.h"
#include "runtime/files/checksum.h"
#include "state/checkpoint/checkpoint_reader.h"
#include "state/checkpoint/run_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr double kAliveSeconds = 1;

std::string hex(std::uint64_t fingerprint) {
  return fmt::format("{:016x}", fingerprint);
}

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
void require_replaceable(const StartUp& start, const PrepareConfig& prepared, PreparedState state, const RunFiles& files) {
  if (state != PreparedState::kOther || !files.has_checkpoints()) return;
  const std::string trained = required_corpus(start.config.checkpoint, start.storage, start.config.run_dir);
  if (trained.empty() || trained != corpus_in(prepared.folder)) return;
  fail_input(fmt::format(
      "{0}: was made from other text or with other settings (vocab, data, model.max_length)\n  found     checkpoints trained on it\n"
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
             fmt::format("{}: verified the checksums of {} files that are new or changed since the last start", folder, found.read.size()));
  }
  if (found.state == PreparedState::kDamaged) log.warn("prepare", found.damage + "; prepared again");
}

/// A run that has begun keeps its vocabulary, also one from before vocab.normalization could be chosen.
void keep_normalization(const StartUp& start, PrepareConfig& prepared) {
  if (prepared.vocab.normalization != TextNormalization::kIdentity || !learns_vocabulary(prepared.vocab)) return;
  if (!learned_with_nmt_nfkc(prepared.folder) || list_steps(start.storage, start.config.run_dir).empty()) return;
  prepared.vocab.normalization = TextNormalization::kNmtNfkc;
  start.log.warn("prepare", prepared.folder + ": its vocabulary was learned with vocab.normalization: nmt_nfkc, which this run keeps");
}

/// The vocabularies of checkpoint.init_from, where no key names others; empty names: none.
VocabularyFiles initial_vocabularies(const Config& config, const std::string& initial) {
  const bool used = !initial.empty() && config.vocab.src.empty() && config.vocab.tgt.empty();
  return used ? find_vocabularies(initial, config.vocab.share_vocab) : VocabularyFiles{};
}

/// Returns the prepared folder.
std::string prepare_when_needed(const StartUp& start, const Claim& claim) {
  const Config& config = start.config;
  const RunFiles& files = *claim.files;
  Log& log = start.log;
  const VocabularyFiles initial = initial_vocabularies(config, claim.initial);
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
  keep_normalization(start, prepare_config);
  const PreparedCheck found = check_prepared(prepare_config);
  say_checked(found, prepare_config.folder, log);
  if (found.state == PreparedState::kWhole) return prepare_config.folder;
  require_replaceable(start, prepare_config, found.state, files);
  log.info("prepare", prepare_config.folder + ": learning the vocabulary and binarising the text");
  const PrepareReport report = prepare(prepare_config);
  for (const std::string& line : account_of(report)) log.info("prepare", line);
  for (const std::string& warning : report.warnings) log.warn("prepare", warning);
  return prepare_config.folder;
}

/// One vocabulary or two, sentences longer than model.max_length.
void require_fitting(const Config& config, const PreparedData& data, const std::string& folder) {
  const auto words = [](bool shared) { return shared ? "one vocabulary for both sides" : "a vocabulary for each side"; };
  if (data.shared_vocabulary != config.vocab.share_vocab) {
    fail_input(fmt::format("vocab.share_vocab: does not match {}\n  found     {}\n  expected  {}, or vocab.share_vocab: {}", folder,
                           words(data.shared_vocabulary), words(config.vocab.share_vocab), data.shared_vocabulary));
  }
  for (const Dataset* set : {&data.train, data.valid ? &*data.valid : &data.train}) {
    const std::int64_t longest = std::max(set->max_length(Side::kSource), set->max_length(Side::kTarget));
    if (longest <= config.model.max_length) continue;
    fail_input(
        fmt::format("model.max_length: {} is less than {} holds\n  found     a sentence of {} tokens\n  expected  at least that many, or "
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

}  // namespace

Text prepare_text(const StartUp& start, const Claim& claim) {
  Job& job = start.job;
  std::string folder;
  on_root_at_length(
      job.control(),
      {.seconds = kAliveSeconds, .body = [&] { folder = prepare_when_needed(start, claim); }, .alive = [&] { job.progress().pass += 1; }});
  folder = job.control().broadcast(folder, 0);
  job.progress().pass = 0;
  std::optional<Text> text;
  together(job.control(), [&] {
    PreparedData data = open_prepared(folder, start.config.vocab);
    require_fitting(start.config, data, folder);
    Json prints = fingerprints(data);
    std::string validation = validation_fingerprint(data);
    text.emplace(Text{folder, std::move(data), std::move(prints), std::move(validation)});
  });
  return std::move(*text);
}

void write_run_files(const StartUp& start, Claim& claim, const Text& text) {
  on_root(start.job.control(), [&] {
    claim.files->write("config.yaml", start.config_text);
    const VocabularyFiles from = vocabulary_files(text.folder, text.data.shared_vocabulary);
    for (const std::string& path : {from.source, from.target}) {
      claim.files->write(fs::path(path).filename().string(), read_whole_file(path));
    }
  });
}

}  // namespace weft
