#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "data/prepare.h"
#include "data/prepared.h"
#include "data/train_vocabulary.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/log.h"

namespace weft {
namespace {

std::vector<std::string> texts(const DataConfig& data, bool source, bool target) {
  std::vector<std::string> files;
  for (const ParallelText& pair : data.train) {
    if (source) files.push_back(pair.src);
    if (target) files.push_back(pair.tgt);
  }
  return files;
}

void learn(const std::vector<std::string>& files, const VocabConfig& config, const std::string& path) {
  Log log;
  // A run that has begun depends on its vocabulary.
  if (std::filesystem::exists(path)) fail_input(path + ": exists already\n  expected  another run_dir, or no such file");
  train_vocabulary(files, config, path);
  log.info("vocab", fmt::format("{}: {} pieces", path, Vocabulary::load(path).size()));
  fmt::print("{}\n", path);
}

}  // namespace

int run_vocab(const Config& config, const CommandLine&) {
  const VocabConfig& vocab = config.vocab;
  const bool learns_source = vocab.src.empty() && (vocab.tgt.empty() || !vocab.share_vocab);
  const bool learns_target = !vocab.share_vocab && vocab.tgt.empty();
  if (!learns_source && !learns_target) fail_input("vocab: vocab.src and vocab.tgt name existing files: nothing to learn");
  std::error_code error;
  const std::filesystem::path folder(config.run_dir);
  const bool created = std::filesystem::create_directories(folder, error);
  if (error) fail_input(fmt::format("{}: cannot be made: {}", config.run_dir, error.message()));
  if (created) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  const VocabularyFiles files = vocabulary_files(config.run_dir, vocab.share_vocab);
  if (learns_source) learn(texts(config.data, true, vocab.share_vocab), vocab, files.source);
  if (learns_target) learn(texts(config.data, false, true), vocab, files.target);
  return static_cast<int>(ExitCode::kDone);
}

int run_prepare(const Config& config, const CommandLine& line) {
  if (line.out.empty()) fail_input("prepare: no folder to write\n  expected  --out DIR");
  const PrepareReport report = prepare({.data = config.data,
                                        .vocab = config.vocab,
                                        .limits = {.source = config.model.max_length, .target = config.model.max_length},
                                        .folder = line.out});
  fmt::print("train: {}\n", describe(report.train));
  if (!config.data.valid.src.empty()) fmt::print("valid: {}\n", describe(report.valid));
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace weft
