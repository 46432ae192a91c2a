#include "data/prepare/encode_corpus.h"

#include <algorithm>
#include <future>
#include <thread>

#include <fmt/format.h>

#include "data/text/utf8.h"

namespace weft {
namespace {

constexpr std::size_t kChunkPairs = 16384;
constexpr std::size_t kChunkBytes = std::size_t{32} << 20;
constexpr std::size_t kSwapSample = 1000;  // pairs
constexpr double kSwapGain = 0.8, kMostlyUnknown = 0.5, kManyNormalised = 0.01;

/// Encodes a chunk on all cores; the result is in the order of the lines, and so is the error that is thrown.
std::vector<EncodedPair> encode_all(const SentenceFilter& filter, std::vector<TextPair>& pairs, const ParallelText& files) {
  std::vector<EncodedPair> encoded(pairs.size());
  const std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t share = (pairs.size() + threads - 1) / threads;
  std::vector<std::future<void>> running;
  for (std::size_t begin = 0; begin < pairs.size(); begin += share) {
    running.push_back(std::async(std::launch::async, [&, begin] {
      for (std::size_t i = begin; i < std::min(begin + share, pairs.size()); ++i) encoded[i] = filter.encode(std::move(pairs[i]), files);
    }));
  }
  for (std::future<void>& part : running) part.wait();
  for (std::future<void>& part : running) part.get();
  return encoded;
}

/// What a text costs in a vocabulary: its tokens, and the unknown ones once more.
std::int64_t cost(const Vocabulary& vocabulary, const std::string& text) {
  const std::vector<std::int32_t> ids = vocabulary.encode(utf8_prefix(text, 1000));
  const auto unknown = std::count_if(ids.begin(), ids.end(), [&](std::int32_t id) { return vocabulary.is_unknown(id); });
  return static_cast<std::int64_t>(ids.size()) + unknown;
}

/// Judged by the first pairs of a text.
bool looks_swapped(const std::vector<TextPair>& pairs, const Vocabulary& source, const Vocabulary& target) {
  if (source.fingerprint() == target.fingerprint()) return false;
  std::int64_t straight = 0, swapped = 0;
  for (std::size_t i = 0; i < std::min(pairs.size(), kSwapSample); ++i) {
    const std::string from = repair_utf8(pairs[i].source.text), to = repair_utf8(pairs[i].target.text);
    straight += cost(source, from) + cost(target, to);
    swapped += cost(source, to) + cost(target, from);
  }
  return static_cast<double>(swapped) < kSwapGain * static_cast<double>(straight);
}

void warn_of_unknown(std::vector<std::string>& warnings, const std::string& file, std::int64_t unknown, std::int64_t tokens) {
  if (static_cast<double>(unknown) <= kMostlyUnknown * static_cast<double>(tokens)) return;
  warnings.push_back(
      fmt::format("{}: {:.1f} % of the tokens are unknown to the vocabulary, or bytes that stand for unknown characters: is "
                  "it a vocabulary of this language?",
                  file, 100.0 * static_cast<double>(unknown) / static_cast<double>(tokens)));
}

void append_line(OutputFile& file, const std::string& text) {
  const std::string line = repair_utf8(text) + "\n";
  file.append(line.data(), static_cast<std::int64_t>(line.size()));
}

/// One text on its way into a writer.
class CorpusEncoder {
 public:
  CorpusEncoder(const ParallelText& files, const SentenceFilter& filter, DatasetWriter& writer)
      : files_(files), filter_(filter), writer_(writer) {}

  void add(TextPair pair) {
    bytes_ += pair.source.text.size() + pair.target.text.size();
    pairs_.push_back(std::move(pair));
  }
  bool full() const { return pairs_.size() == kChunkPairs || bytes_ >= kChunkBytes; }
  const std::vector<TextPair>& pairs() const { return pairs_; }

  void write(PrepareAccount& account) {
    for (const EncodedPair& pair : encode_all(filter_, pairs_, files_)) {
      account += pair.account;
      source_tokens_ += pair.source_tokens;
      target_tokens_ += pair.target_tokens;
      source_unknown_ += pair.source_unknown;
      target_unknown_ += pair.target_unknown;
      target_lines_ += 1;
      target_changed_ += pair.target_changed ? 1 : 0;
      if (pair.account.kept > 0) writer_.add(pair.source, pair.target);
    }
    pairs_.clear();
    bytes_ = 0;
  }

  void warn(std::vector<std::string>& warnings) const {
    const TextColumn source = column_of(files_, Side::kSource), target = column_of(files_, Side::kTarget);
    const auto name = [](const TextColumn& text) {
      return text.column == 0 ? text.file : fmt::format("{} column {}", text.file, text.column);
    };
    warn_of_unknown(warnings, name(source), source_unknown_, source_tokens_);
    warn_of_unknown(warnings, name(target), target_unknown_, target_tokens_);
    if (const double share = static_cast<double>(target_changed_) / static_cast<double>(target_lines_); share > kManyNormalised) {
      warnings.push_back(fmt::format(
          "{}: the vocabulary normalises {:.1f} % of the lines: what it changes can never be written; a vocabulary learned with "
          "vocab.normalization: identity keeps the text",
          name(target), 100 * share));
    }
  }

 private:
  const ParallelText& files_;
  const SentenceFilter& filter_;
  DatasetWriter& writer_;
  std::vector<TextPair> pairs_;
  std::size_t bytes_ = 0;
  std::int64_t source_tokens_ = 0, source_unknown_ = 0, target_tokens_ = 0, target_unknown_ = 0;
  std::int64_t target_lines_ = 0, target_changed_ = 0;
};

}  // namespace

CorpusReport encode_corpus(const ParallelText& files, const SentenceFilter& filter, DatasetWriter& writer,
                           std::optional<std::pair<OutputFile&, OutputFile&>> copy) {
  CorpusReport report{.names = names_of(files), .account = {}, .warnings = {}};
  PairReader reader(files);
  CorpusEncoder encoder(files, filter, writer);
  bool first = true;
  const auto finish_chunk = [&] {
    if (first && looks_swapped(encoder.pairs(), filter.source(), filter.target())) {
      report.warnings.push_back(report.names + ": source and target look swapped: each side fits the vocabulary of the other better");
    }
    first = false;
    encoder.write(report.account);
  };
  for (TextPair pair; reader.next(pair); pair = {}) {
    if (copy) {
      append_line(copy->first, pair.source.text);
      append_line(copy->second, pair.target.text);
    }
    encoder.add(std::move(pair));
    if (encoder.full()) finish_chunk();
  }
  finish_chunk();
  encoder.warn(report.warnings);
  for (std::string& warning : reader.carriage_returns()) report.warnings.push_back(std::move(warning));
  return report;
}

}  // namespace weft
