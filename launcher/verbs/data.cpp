#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "data/prepare/prepare.h"
#include "data/prepare/prepared.h"
#include "data/text/check_text.h"
#include "data/text/output_file.h"
#include "data/vocabulary/train_vocabulary.h"
#include "launcher/start/claim.h"
#include "launcher/start/read.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/log.h"
#include "state/checkpoint/run_lock.h"

namespace weft {
namespace {

struct Learned {
  std::vector<TextColumn> from;
  std::string path;
};

/// Nothing is overwritten, since a run that has begun depends on its vocabulary. A file with the same content is fine: an earlier call that
/// was killed may have left it.
void learn(const std::vector<Learned>& vocabularies, const VocabConfig& config, InvalidUtf8 invalid_utf8) {
  std::vector<std::string> contents;
  for (const Learned& vocabulary : vocabularies) {
    for (const TextColumn& column : vocabulary.from) check_text(column, invalid_utf8);
    contents.push_back(learn_vocabulary(vocabulary.from, config, {.invalid_utf8 = invalid_utf8}));
    if (std::filesystem::exists(vocabulary.path) && read_whole_file(vocabulary.path) != contents.back()) {
      fail_input(vocabulary.path +
                 ": exists already and does not match the text and the settings\n  expected  another run_dir, or no such file");
    }
  }
  Log log;
  for (std::size_t i = 0; i < vocabularies.size(); ++i) {
    const std::string& path = vocabularies[i].path;
    if (!std::filesystem::exists(path)) write_file(path, contents[i]);
    log.info("vocab", fmt::format("{}: {} entries", path, Vocabulary::load(path).size()));
    fmt::print("{}\n", path);
  }
}

int run_vocab(const Config& config) {
  const VocabConfig& vocab = config.vocab;
  const bool learns_source = vocab.src.empty() && (vocab.tgt.empty() || !vocab.share_vocab);
  const bool learns_target = !vocab.share_vocab && vocab.tgt.empty();
  if (!learns_source && !learns_target) fail_input("vocab: vocab.src and vocab.tgt name existing files: nothing to train");
  make_run_directory(config.run_dir);
  const VocabularyFiles files = vocabulary_files(config.run_dir, vocab.share_vocab);
  std::vector<Learned> vocabularies;
  if (learns_source) vocabularies.push_back({columns_of(config.data.train, true, vocab.share_vocab), files.source});
  if (learns_target) vocabularies.push_back({columns_of(config.data.train, false, true), files.target});
  learn(vocabularies, vocab, config.data.invalid_utf8);
  return static_cast<int>(ExitCode::kDone);
}

int run_prepare(const Config& config, const std::string& out) {
  if (out.empty()) fail_input("prepare: no folder to write\n  expected  --out DIR");
  make_run_directory(out);
  const RunLock lock(out, RunLock::Without::kGoOn);
  const PrepareReport report = prepare({.data = config.data,
                                        .vocab = config.vocab,
                                        .limits = {.source = config.model.max_length, .target = config.model.max_length},
                                        .folder = out});
  for (const std::string& account : account_of(report)) fmt::print("{}\n", account);
  Log log;
  for (const std::string& warning : report.warnings) log.warn("prepare", warning);
  return static_cast<int>(ExitCode::kDone);
}

/// What `weft prepare` is asked.
struct PrepareOptions {
  ConfigOptions config;
  std::string out;
};

}  // namespace

Action vocab_verb(Options& options) {
  const auto config = std::make_shared<ConfigOptions>();
  add_config_options(options, *config);
  return [config] { return run_or_dump("vocab", *config, [&] { return run_vocab(read_config(*config, ConfigUse::kVocab)); }); };
}

Action prepare_verb(Options& options) {
  const auto asked = std::make_shared<PrepareOptions>();
  add_config_options(options, asked->config);
  options.path("--out", asked->out, "DIR", "the folder to write; what it holds of an earlier preparation is replaced");
  return [asked] {
    return run_or_dump("prepare", asked->config, [&] { return run_prepare(read_config(asked->config, ConfigUse::kPrepare), asked->out); });
  };
}

}  // namespace weft
