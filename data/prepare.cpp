#include "data/prepare.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "data/dataset_writer.h"
#include "data/encode_corpus.h"
#include "data/output_file.h"
#include "data/prepare_inputs.h"
#include "data/prepared.h"
#include "data/prepared_json.h"
#include "data/text_file.h"
#include "data/train_vocabulary.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr const char* kPreparedFile = "/prepared.json";

void copy_vocabulary(const std::string& from, VocabType type, const std::string& to) {
  const VocabType found = Vocabulary::load(from).type();
  if (found != type) fail_input(fmt::format("{}: {}\n  expected  {}, or another vocab.type", from, kind_of(found), kind_of(type)));
  write_file(to, read_whole_file(from));
}

void make_vocabularies(const PrepareConfig& config) {
  const VocabConfig& vocab = config.vocab;
  const VocabularyFiles files = vocabulary_files(config.folder, vocab.share_vocab);
  const auto make = [&](const std::string& given, const std::vector<TextColumn>& learned_from, const std::string& to) {
    given.empty() ? train_vocabulary(learned_from, vocab, to) : copy_vocabulary(given, vocab.type, to);
  };
  if (!vocab.share_vocab) {
    make(vocab.src, columns_of(config.data.train, true, false), files.source);
    make(vocab.tgt, columns_of(config.data.train, false, true), files.target);
    return;
  }
  if (!vocab.src.empty() && !vocab.tgt.empty()) {
    const std::uint64_t a = Vocabulary::load(vocab.src).fingerprint(), b = Vocabulary::load(vocab.tgt).fingerprint();
    if (a != b) {
      fail_input(fmt::format("vocab.share_vocab: true, but {} ({:016x}) and {} ({:016x}) differ; set share_vocab: false", vocab.src, a,
                             vocab.tgt, b));
    }
  }
  make(vocab.src.empty() ? vocab.tgt : vocab.src, columns_of(config.data.train, true, true), files.source);
}

/// What would have kept the pairs that the most frequent reason dropped.
std::string advice(const PrepareAccount& account, const LengthLimits& limits) {
  const std::int64_t most = std::max({account.too_long, account.empty, account.invalid_utf8, account.length_ratio});
  if (account.too_long == most) {
    return fmt::format("pairs of at most model.max_length = {} tokens; data.too_long: crop keeps the beginning",
                       std::max(limits.source, limits.target));
  }
  if (account.empty == most) return "text on both sides of a pair";
  if (account.invalid_utf8 == most) return "UTF-8; data.invalid_utf8: replace repairs lines";
  return "pairs within data.length_ratio";
}

void require_enough_kept(const std::vector<CorpusReport>& corpora, const PrepareAccount& account, const PrepareConfig& config) {
  const double share = static_cast<double>(account.dropped()) / static_cast<double>(account.lines);
  if (account.kept > 0 && share <= config.data.max_skipped) return;
  std::string found;
  for (const CorpusReport& corpus : corpora) {
    found += fmt::format("\n  {:<9} {}: {}", found.empty() ? "found" : "", corpus.names, describe(corpus.account));
  }
  const std::string what =
      account.kept == 0 ? std::string("no pair is left")
                        : fmt::format("{:.2f} % dropped, data.max_skipped allows {:.2f} %", 100 * share, 100 * config.data.max_skipped);
  fail_input(fmt::format("{}: {}{}\n  expected  {}", corpora.front().names, what, found, advice(account, config.limits)));
}

/// Returns what became of each corpus; their sum is kept in `sum`.
std::vector<CorpusReport> write_split(const PrepareConfig& config, const std::vector<ParallelText>& corpora, const std::string& split,
                                      PrepareAccount& sum) {
  const VocabularyFiles vocabularies = vocabulary_files(config.folder, config.vocab.share_vocab);
  const Vocabulary source = Vocabulary::load(vocabularies.source), target = Vocabulary::load(vocabularies.target);
  const std::string folder = config.folder + "/" + split;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ExitCode::kStorage, fmt::format("{}: cannot be created: {}", folder, error.message()));
  const SentenceFilter filter(config.data, config.limits, source, target);
  DatasetWriter writer(folder, info_of(source), info_of(target));
  std::vector<CorpusReport> reports;
  if (split == "valid") {
    OutputFile source_text(folder + "/text.src"), target_text(folder + "/text.tgt");
    reports.push_back(encode_corpus(corpora.front(), filter, writer, {{source_text, target_text}}));
    source_text.commit();
    target_text.commit();
  } else {
    for (const ParallelText& files : corpora) reports.push_back(encode_corpus(files, filter, writer, std::nullopt));
  }
  for (const CorpusReport& report : reports) sum += report.account;
  require_enough_kept(reports, sum, config);
  writer.commit();
  return reports;
}

/// What prepared.json says of where the training data come from.
Json of_training(const Json& made) {
  Json kept = Json::object();
  for (const Json::Member& member : made.as_object()) {
    if (!member.key.starts_with("valid_")) kept.set(member.key, member.value);
  }
  return kept;
}

bool has_whole_training(const PrepareConfig& config, const Json& made) {
  try {
    if (of_training(read_prepared_json(config.folder).at("made_from")) != of_training(made)) return false;
    open_prepared(config.folder, config.vocab).train.verify();
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Leaves vocabularies and training data, and returns what prepared.json says of them: as they are when only the validation text is
/// another.
Json prepare_training(const PrepareConfig& config, const Json& made, PrepareReport& report) {
  Json json = Json::object();
  json.set("format", kPreparedFormat).set("shared_vocabulary", config.vocab.share_vocab);
  const bool stays = has_whole_training(config, made);
  if (stays) report.train = account_from_json(read_prepared_json(config.folder).at("train"));
  std::error_code error;
  std::filesystem::remove(config.folder + kPreparedFile, error);  // until the end the folder does not count
  if (!stays) {
    make_vocabularies(config);
    report.corpora = write_split(config, config.data.train, "train", report.train);
  }
  return json.set("train", to_json(report.train));
}

}  // namespace

PrepareReport prepare(const PrepareConfig& config) {
  if (config.data.train.empty()) fail_input("data.train: no files are named");
  for (const ParallelText& text : config.data.train) count_pairs(text);
  const bool has_valid = config.data.valid.given();
  if (has_valid) count_pairs(config.data.valid);
  std::error_code error;
  std::filesystem::create_directories(config.folder, error);
  if (error) fail_input(fmt::format("{}: cannot be created: {}", config.folder, error.message()));
  const Json made = made_from(config);
  PrepareReport report;
  report.warnings = repeated_texts(config);
  Json json = prepare_training(config, made, report);
  if (has_valid) {
    report.corpora.push_back(write_split(config, {config.data.valid}, "valid", report.valid).front());
    json.set("valid", to_json(report.valid));
  }
  for (const CorpusReport& corpus : report.corpora) {
    report.warnings.insert(report.warnings.end(), corpus.warnings.begin(), corpus.warnings.end());
  }
  if (made_from(config) != made)
    fail_input("data: a text has changed while it was prepared\n  expected  files that nobody writes meanwhile");
  json.set("made_from", made);
  write_file(config.folder + kPreparedFile, json.dump(2) + "\n");
  return report;
}

std::vector<std::string> account_of(const PrepareReport& report) {
  std::vector<std::string> lines{"train: " + describe(report.train)};
  const std::size_t texts = report.corpora.size() - (report.valid.lines > 0 ? 1 : 0);  // 0 where the training data stayed
  for (std::size_t i = 0; texts > 1 && i < texts; ++i) {
    lines.push_back(fmt::format("  {}: {}", report.corpora[i].names, describe(report.corpora[i].account)));
  }
  if (report.valid.lines > 0) lines.push_back("valid: " + describe(report.valid));
  return lines;
}

bool is_prepared_for_training(const PrepareConfig& config) {
  if (std::error_code error; !std::filesystem::exists(config.folder + kPreparedFile, error)) return false;
  return of_training(read_prepared_json(config.folder).at("made_from")) == of_training(made_from(config));
}

bool learned_with_nmt_nfkc(const std::string& folder) {
  if (std::error_code error; !std::filesystem::exists(folder + kPreparedFile, error)) return false;
  const Json made = read_prepared_json(folder).at("made_from");
  return made.find("algorithm") != nullptr && made.find("normalization") == nullptr;
}

bool is_prepared(const PrepareConfig& config) {
  if (std::error_code error; !std::filesystem::exists(config.folder + kPreparedFile, error)) return false;
  return read_prepared_json(config.folder).at("made_from") == made_from(config);
}

}  // namespace weft
