#include <algorithm>
#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "data/prepare/prepared.h"
#include "data/text/text_file.h"
#include "inference/decoding_memory.h"
#include "inference/forced_decoding.h"
#include "launcher/input/problem.h"
#include "launcher/ranks/job.h"
#include "launcher/standard_streams.h"
#include "launcher/verbs.h"
#include "launcher/verbs/decoding_run.h"
#include "runtime/error.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "runtime/random.h"
#include "state/checkpoint/copy_weights.h"
#include "state/checkpoint/run_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

/// Absolute, without a slash at the end.
fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::absolute(path).lexically_normal();
  return folder.has_filename() ? folder : folder.parent_path();
}

/// What `weft export` is asked.
struct ExportOptions {
  std::string model, out;
  std::string format = "weft";
};

void check_options(const ExportOptions& asked) {
  if (asked.format != "weft") {
    const std::vector<std::string> later{"huggingface", "ctranslate2"};
    const bool known = std::ranges::count(later, asked.format) > 0;
    fail_input(problem_text({.path = "export --format",
                             .what = known ? "not supported yet" : "unknown format",
                             .found = asked.format,
                             .expected = "weft",
                             .nearest = known ? "" : nearest_name(asked.format, {"weft", "huggingface", "ctranslate2"}).value_or("")}));
  }
  if (asked.out.empty()) fail_input("export: no --out\n  expected  --out DIR: a name that is free, or an empty folder");
  std::error_code error;
  if (!fs::is_directory(folder_of(asked.out).parent_path(), error)) {
    fail_input(fmt::format("{}: the folder {} does not exist\n  expected  --out DIR in a folder that is there", asked.out,
                           folder_of(asked.out).parent_path().string()));
  }
  if (!fs::exists(asked.out, error)) return;
  if (fs::is_directory(asked.out, error) && fs::is_empty(asked.out, error)) return;
  fail_input(asked.out + ": already exists\n  expected  --out DIR: a name that is free, or an empty folder");
}

void write_file(Storage& storage, const std::string& path, std::string_view text) {
  const std::unique_ptr<WritableFile> file = storage.create(path);
  file->write(std::as_bytes(std::span(text)));
  file->sync();
  file->close();
}

/// All that an exported model is; the manifest comes last.
Manifest write_model(Storage& storage, const LoadedModel& loaded, const std::string& folder) {
  const CheckpointReader reader(storage, loaded.checkpoint());
  Manifest manifest{.step = reader.manifest().step, .run = reader.manifest().run, .run_state = Json::object(), .files = {}, .tensors = {}};
  manifest.run.layout = Json::object().set("world", 1);
  Inventory inventory = copy_weights(reader, storage, folder);
  manifest.files = std::move(inventory.files);
  manifest.tensors = std::move(inventory.tensors);
  const VocabularyFiles& from = loaded.vocabularies();
  const VocabularyFiles to = vocabulary_files(folder, from.source == from.target);
  write_file(storage, to.source, read_whole_file(from.source));
  if (to.target != to.source) write_file(storage, to.target, read_whole_file(from.target));
  write_file(storage, folder + "/config.yaml", manifest.run.config);
  write_file(storage, folder + "/manifest.json", manifest_text(manifest));
  storage.sync_folder(folder);
  return manifest;
}

/// Sentences of ids drawn from the whole vocabulary, some of them short.
std::vector<std::vector<std::int32_t>> probes(const Vocabulary& vocabulary, const std::string& side, std::int64_t longest) {
  constexpr std::size_t kProbes = 8;
  const RandomKey key = random_key(1, "export." + side);
  std::vector<std::vector<std::int32_t>> sentences(kProbes);
  for (std::size_t i = 0; i < kProbes; ++i) {
    const auto length = std::min<std::int64_t>(longest - 1, static_cast<std::int64_t>(i * 4));
    for (std::int64_t t = 0; t < length; ++t) {
      const std::uint64_t index = i * 1000 + static_cast<std::uint64_t>(t);
      sentences[i].push_back(static_cast<std::int32_t>(random_below(key, index, static_cast<std::uint64_t>(vocabulary.size()))));
    }
    sentences[i].push_back(vocabulary.special().eos);
  }
  return sentences;
}

std::vector<std::vector<double>> log_probs_of_probes(DecodingRun& run) {
  const std::int64_t longest = run.config().model.max_length;
  SearchProblem problem = run.problem();
  problem.limits.max_length = longest;
  return score_targets(run.context(), problem, probes(run.loaded().source(), "source", longest),
                       probes(run.loaded().target(), "target", longest));
}

/// The same weights, vocabulary and program compute the same bits.
void require_same_outputs(DecodingRun& source, DecodingRun& exported) {
  const auto prints = [](const LoadedModel& loaded) { return std::pair(loaded.source().fingerprint(), loaded.target().fingerprint()); };
  const bool same = prints(source.loaded()) == prints(exported.loaded()) && log_probs_of_probes(source) == log_probs_of_probes(exported);
  if (!same)
    fail(fmt::format("export: {} computes outputs that differ from {}", exported.loaded().checkpoint(), source.loaded().checkpoint()));
}

int run_export(const Job& job, const ExportOptions& asked) {
  check_options(asked);
  const Overrides small{{"decoding.batch_size=1024"}, {"export", {"decoding.batch_size"}, {}}};
  DecodingRun source(job, {asked.model, small, scoring_memory});
  const std::unique_ptr<Storage> storage = make_posix_storage();
  const fs::path out = folder_of(asked.out);
  const std::string folder = out.parent_path() / (".tmp-export-" + make_nonce());
  storage->create_folder(folder);
  try {
    const Manifest manifest = write_model(*storage, source.loaded(), folder);
    DecodingRun exported(job, {folder, small, scoring_memory});
    require_same_outputs(source, exported);
    storage->rename(folder, out);
    storage->sync_folder(out.parent_path());
    source.say(fmt::format("step {}, {} tensors, {}; its outputs are those of {}", manifest.step, manifest.tensors.size(),
                           bytes_text(manifest.bytes()), source.loaded().checkpoint()));
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    throw;
  }
  write_stdout(asked.out + "\n");
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

Action export_verb(Options& options) {
  const auto asked = std::make_shared<ExportOptions>();
  options.path("--model", asked->model, "DIR", kModelHelp);
  options.text("--format", asked->format, "NAME", "weft; huggingface and ctranslate2 are not supported yet");
  options.path("--out", asked->out, "DIR", "the folder to write: a name that is free, or an empty folder");
  return [asked] { return on_one_rank([&](const Job& job) { return run_export(job, *asked); }); };
}

}  // namespace weft
