#include "data/prepare/prepare.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/prepare/dataset_writer.h"
#include "data/prepare/encode_corpus.h"
#include "data/prepare/prepare_inputs.h"
#include "data/prepare/prepared.h"
#include "data/prepare/prepared_folder.h"
#include "data/prepare/prepared_json.h"
#include "data/text/check_text.h"
#include "data/text/file_contents.h"
#include "data/text/output_file.h"
#include "data/text/text_file.h"
#include "data/vocabulary/fitting_vocabulary.h"
#include "data/vocabulary/train_vocabulary.h"
#include "runtime/error.h"

namespace weft {
namespace {

void copy_vocabulary(const std::string& from, VocabType type, const std::string& to) {
  const VocabType found = Vocabulary::load(from).type();
  if (found != type) fail_input(fmt::format("{}: {}\n  expected  {}, or another vocab.type", from, kind_of(found), kind_of(type)));
  write_file(to, read_whole_file(from));
}

/// One vocabulary of a preparation.
struct VocabularySource {
  std::string given;                // the file that vocab.src or vocab.tgt names; empty: none
  std::string found;                // one that lies ready, though no key names it; empty: none
  std::vector<TextColumn> columns;  // what it is learned from otherwise
  std::string name;                 // in the folder
};

std::vector<VocabularySource> sources_of(const PrepareConfig& config, FileContents& contents) {
  const VocabConfig& vocab = config.vocab;
  const VocabularyFiles names = vocabulary_files(".", vocab.share_vocab);
  const auto source = [&](const std::string& given, const std::string& ready, std::vector<TextColumn> columns, const std::string& file) {
    const std::string name = std::filesystem::path(file).filename().string(), there = config.folder + "/" + name;
    std::string found = ready;
    if (found.empty() && !is_own_or_missing(config.folder, name, contents)) found = there;
    return VocabularySource{.given = given, .found = found, .columns = std::move(columns), .name = name};
  };
  if (!vocab.share_vocab) {
    return {source(vocab.src, config.ready.source, columns_of(config.data.train, true, false), names.source),
            source(vocab.tgt, config.ready.target, columns_of(config.data.train, false, true), names.target)};
  }
  return {source(vocab.src.empty() ? vocab.tgt : vocab.src, config.ready.source, columns_of(config.data.train, true, true), names.source)};
}

/// A vocabulary that lies ready is taken where it is the one that would be made, or could have been.
void require_fitting(const VocabularySource& source, const VocabConfig& vocab) {
  if (source.found.empty()) return;
  if (source.given.empty()) return require_fitting_vocabulary(source.found, vocab);
  if (read_whole_file(source.given) == read_whole_file(source.found)) return;
  fail_input(fmt::format("{}: exists already and is not {}\n  expected  no such file, or the same vocabulary", source.found, source.given));
}

void require_one_vocabulary(const VocabConfig& vocab) {
  if (!vocab.share_vocab || vocab.src.empty() || vocab.tgt.empty()) return;
  const std::uint64_t a = Vocabulary::load(vocab.src).fingerprint(), b = Vocabulary::load(vocab.tgt).fingerprint();
  if (a == b) return;
  fail_input(
      fmt::format("vocab.share_vocab: true, but {} ({:016x}) and {} ({:016x}) differ; set share_vocab: false", vocab.src, a, vocab.tgt, b));
}

void make_vocabularies(const PrepareConfig& config, const std::vector<VocabularySource>& sources, const std::string& folder) {
  for (const VocabularySource& source : sources) {
    const std::string to = folder + "/" + source.name, from = source.given.empty() ? source.found : source.given;
    from.empty() ? train_vocabulary(source.columns, config.vocab, config.data.invalid_utf8, to)
                 : copy_vocabulary(from, config.vocab.type, to);
  }
}

/// What the folder remembers of files that were read.
std::string stamps_of(const std::string& folder) {
  return folder + "/.stamps.json";
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
std::vector<CorpusReport> write_split(const PrepareConfig& config, const std::vector<ParallelText>& corpora, const std::string& folder,
                                      const VocabularyFiles& vocabularies, PrepareAccount& sum) {
  const Vocabulary source = Vocabulary::load(vocabularies.source), target = Vocabulary::load(vocabularies.target);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error(ExitCode::kStorage, fmt::format("{}: cannot be created: {}", folder, error.message()));
  const SentenceFilter filter(config.data, config.limits, source, target);
  DatasetWriter writer(folder, info_of(source), info_of(target));
  std::vector<CorpusReport> reports;
  if (folder.ends_with("/valid")) {
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

/// A vocabulary that lies ready counts too, though no key names it.
bool has_ready_vocabularies(const PrepareConfig& config, FileContents& contents) {
  const VocabularyFiles own = vocabulary_files(config.folder, config.vocab.share_vocab);
  for (const auto& [ready, file] : {std::pair(&config.ready.source, &own.source), std::pair(&config.ready.target, &own.target)}) {
    if (!ready->empty() && contents.of(*ready) != contents.of(*file)) return false;
  }
  return true;
}

PreparedCheck check(const PrepareConfig& config, const Json& made, FileContents& contents) {
  finish_commit(config.folder);
  if (std::error_code error; !std::filesystem::exists(config.folder + "/prepared.json", error)) return {PreparedState::kNone, ""};
  const Json recorded = read_prepared_json(config.folder).at("made_from");
  if (of_training(recorded) != of_training(made)) return {PreparedState::kOther, ""};
  if (std::string damage = damage_of(config.folder, true, contents); !damage.empty()) return {PreparedState::kDamaged, damage};
  if (!has_ready_vocabularies(config, contents)) return {PreparedState::kOther, ""};
  if (recorded != made) return {PreparedState::kOtherValid, ""};
  std::string damage = damage_of(config.folder, false, contents);
  return {damage.empty() ? PreparedState::kWhole : PreparedState::kDamaged, damage};
}

/// Files that no preparation wrote are not replaced: exit 64. A vocabulary among them may be used.
void require_replaceable(const PrepareConfig& config, const std::vector<VocabularySource>& sources, FileContents& contents) {
  for (const VocabularySource& source : sources) {
    require_fitting(source, config.vocab);
    const std::string there = config.folder + "/" + source.name;
    std::error_code error;
    if (std::filesystem::exists(there, error) && !source.found.empty() && contents.of(there) != contents.of(source.found)) {
      require_own(config.folder, {source.name}, contents);
    }
  }
  require_own(config.folder, {"train/source.bin", "train/target.bin"}, contents);
  if (!config.data.valid.given()) return;
  require_own(config.folder, {"valid/source.bin", "valid/target.bin", "valid/text.src", "valid/text.tgt"}, contents);
}

/// Whether the training data are whole already, so that only the validation text is encoded.
bool training_stays(const PrepareConfig& config, const Json& made, FileContents& contents) {
  const PreparedState state = check(config, made, contents).state;
  return state == PreparedState::kWhole || state == PreparedState::kOtherValid ||
         (state == PreparedState::kDamaged && damage_of(config.folder, true, contents).empty());
}

}  // namespace

PrepareReport prepare(const PrepareConfig& config) {
  if (config.data.train.empty()) fail_input("data.train: no files are named");
  for (const ParallelText& text : config.data.train) check_pairs(text, config.data.invalid_utf8);
  const bool has_valid = config.data.valid.given();
  if (has_valid) check_pairs(config.data.valid, config.data.invalid_utf8);
  require_one_vocabulary(config.vocab);
  std::error_code error;
  std::filesystem::create_directories(config.folder, error);
  if (error) fail_input(fmt::format("{}: cannot be created: {}", config.folder, error.message()));
  FileContents contents(stamps_of(config.folder));
  const Json made = made_from(config, contents);
  PrepareReport report;
  report.warnings = repeated_texts(config, contents);
  const bool stays = training_stays(config, made, contents);
  const std::vector<VocabularySource> sources = sources_of(config, contents);
  require_replaceable(config, sources, contents);

  PreparedStaging staging(config.folder);
  Json json = Json::object(), staying = Json::object();
  json.set("format", kPreparedFormat).set("shared_vocabulary", config.vocab.share_vocab);
  if (stays) {
    const Json before = read_prepared_json(config.folder);
    report.train = account_from_json(before.at("train"));
    staying = training_files(before);
  } else {
    make_vocabularies(config, sources, staging.path());
  }
  const VocabularyFiles vocabularies = vocabulary_files(stays ? config.folder : staging.path(), config.vocab.share_vocab);
  if (!stays) report.corpora = write_split(config, config.data.train, staging.path() + "/train", vocabularies, report.train);
  json.set("train", to_json(report.train));
  if (has_valid) {
    report.corpora.push_back(write_split(config, {config.data.valid}, staging.path() + "/valid", vocabularies, report.valid).front());
    json.set("valid", to_json(report.valid));
  }
  for (const CorpusReport& corpus : report.corpora) {
    report.warnings.insert(report.warnings.end(), corpus.warnings.begin(), corpus.warnings.end());
  }
  if (made_from(config, contents) != made)
    fail_input("data: a text has changed while it was prepared\n  expected  files that do not change during the preparation");
  json.set("made_from", made);
  staging.commit(std::move(json), staying);
  contents.save();
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

PreparedCheck check_prepared(const PrepareConfig& config) {
  finish_commit(config.folder);
  if (std::error_code error; !std::filesystem::exists(config.folder + "/prepared.json", error)) return {PreparedState::kNone, ""};
  FileContents contents(stamps_of(config.folder));
  PreparedCheck found = check(config, made_from(config, contents), contents);
  found.read = contents.take_read();
  if (!found.read.empty()) contents.save();
  return found;
}

PreparedCheck check_prepared_folder(const std::string& folder) {
  FileContents contents(stamps_of(folder));
  std::string damage = damage_of(folder, false, contents);
  const PreparedState state = damage.empty() ? PreparedState::kWhole : PreparedState::kDamaged;
  PreparedCheck found{state, std::move(damage), contents.take_read()};
  if (!found.read.empty()) contents.save();
  return found;
}

bool learned_with_nmt_nfkc(const std::string& folder) {
  if (std::error_code error; !std::filesystem::exists(folder + "/prepared.json", error)) return false;
  const Json made = read_prepared_json(folder).at("made_from");
  return made.find("algorithm") != nullptr && made.find("normalization") == nullptr;
}

}  // namespace weft
