#include "data/vocabulary/train_vocabulary.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <sentencepiece_trainer.h>

#include "data/text/output_file.h"
#include "data/text/utf8.h"
#include "data/vocabulary/entry_list.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::size_t kMaxSentenceBytes = 4192;  // the library's own default, above which it drops the sentence

/// Hands the library the lines of a sample.
class Sentences : public sentencepiece::SentenceIterator {
 public:
  explicit Sentences(TextSample& sample) : sample_(sample) { Next(); }
  bool done() const override { return done_; }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

  void Next() override {
    done_ = !sample_.next(line_);
    line_.resize(utf8_prefix(line_, kMaxSentenceBytes).size());
  }

 private:
  TextSample& sample_;
  std::string line_;
  bool done_ = false;
};

/// The library speaks as "Internal: ./src/file.cc(660) [(condition)] sentence": the sentence is what a user can act on.
std::string reason(const std::string& status) {
  const std::size_t bracket = status.rfind("] ");
  return bracket == std::string::npos || bracket + 2 >= status.size() ? status : status.substr(bracket + 2);
}

/// Each file once.
std::string names_of(const std::vector<TextColumn>& columns) {
  std::string names;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i == 0 || columns[i].file != columns[i - 1].file) names += (i == 0 ? "" : ", ") + columns[i].file;
  }
  return names;
}

[[noreturn]] void refuse_size(const VocabConfig& config, const std::string& names, std::int64_t lines, const std::string& why) {
  fail_input(fmt::format("vocab.vocab_size: {} cannot be learned from {} ({} lines): {}", config.vocab_size, names, lines, why));
}

std::string learn_pieces(const std::vector<TextColumn>& columns, const VocabConfig& config, TextSample& sample) {
  const std::unordered_map<std::string, std::string> options{
      {"model_type", config.algorithm == VocabAlgorithm::kBpe ? "bpe" : "unigram"},
      {"vocab_size", fmt::format("{}", config.vocab_size)},
      {"character_coverage", fmt::format("{}", config.character_coverage)},
      {"byte_fallback", config.byte_fallback ? "true" : "false"},
      {"normalization_rule_name", name_of(config.normalization)},
      {"max_sentence_length", fmt::format("{}", 4 * kMaxSentenceBytes)},
      {"unk_id", "0"},
      {"bos_id", "1"},
      {"eos_id", "2"},
      {"pad_id", "-1"},
      {"num_threads", "4"},  // unigram sums by thread: the number is part of the result, so it must not follow the machine
      {"minloglevel", "3"}};
  Sentences sentences(sample);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &sentences, &model);
  if (!status.ok()) refuse_size(config, names_of(columns), sample.lines(), reason(status.ToString()));
  return model;
}

std::string learn_entries(const std::vector<TextColumn>& columns, const VocabConfig& config, TextSample& sample) {
  const bool words = config.type == VocabType::kWord;
  std::unordered_map<std::string, std::int64_t> counts;
  for (std::string line; sample.next(line);) {
    for (const std::string_view entry : words ? words_of(line) : characters_of(line)) ++counts[std::string(entry)];
  }
  for (const std::string_view special : kSpecialEntries) counts.erase(std::string(special));
  counts.erase(std::string(kBlankEntry));
  std::vector<std::pair<std::string, std::int64_t>> entries(counts.begin(), counts.end());
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  std::string content = fmt::format("{}\n{}\n{}\n", kSpecialEntries[0], kSpecialEntries[1], kSpecialEntries[2]);
  if (!words) content += " \n";
  const std::int64_t fixed = words ? 3 : 4, possible = fixed + static_cast<std::int64_t>(entries.size());
  if (config.vocab_size > possible || entries.empty()) {
    refuse_size(config, names_of(columns), sample.lines(),
                fmt::format("it has {} different {}, with the special entries {}; please set it to a value <= {}", entries.size(),
                            words ? "words" : "characters", possible, possible));
  }
  entries.resize(static_cast<std::size_t>(std::max<std::int64_t>(config.vocab_size - fixed, 0)));
  for (const auto& [entry, count] : entries) content += entry + "\n";
  return content;
}

std::string all_bytes() {
  std::string content = fmt::format("{}\n{}\n{}\n", kSpecialEntries[0], kSpecialEntries[1], kSpecialEntries[2]);
  for (int byte = 0; byte < 256; ++byte) content += byte_entry(byte) + "\n";
  return content;
}

}  // namespace

std::string name_of(TextNormalization rule) {
  return kTextNormalizations.at(static_cast<std::size_t>(rule)).first;
}

std::string learn_vocabulary(const std::vector<TextColumn>& columns, const VocabConfig& config, const SampleLimits& limits) {
  if (config.type == VocabType::kByte) return all_bytes();
  TextSample sample(columns, limits);
  if (sample.lines() == 0) fail_input(fmt::format("{}: no text to learn a vocabulary from", names_of(columns)));
  return config.type == VocabType::kSentencePiece ? learn_pieces(columns, config, sample) : learn_entries(columns, config, sample);
}

void train_vocabulary(const std::vector<TextColumn>& columns, const VocabConfig& config, InvalidUtf8 invalid_utf8,
                      const std::string& path) {
  write_file(path, learn_vocabulary(columns, config, {.invalid_utf8 = invalid_utf8}));
}

}  // namespace weft
