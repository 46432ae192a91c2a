#include "data/prepare.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <xxhash.h>

#include "data/dataset_writer.h"
#include "data/output_file.h"
#include "data/prepared.h"
#include "data/prepared_json.h"
#include "data/text_file.h"
#include "data/train_vocabulary.h"
#include "data/utf8.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::size_t kChunkPairs = 16384;

/// Size and XXH3 of the bytes of a file.
Json content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) fail_input(fmt::format("{}: cannot be read", path));
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  std::vector<char> buffer(std::size_t{1} << 20);
  std::int64_t bytes = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    XXH3_64bits_update(state, buffer.data(), static_cast<std::size_t>(file.gcount()));
    bytes += file.gcount();
  }
  const std::uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return Json::object().set("bytes", bytes).set("xxh3", fmt::format("{:016x}", hash));
}

/// All that decides what a preparation makes.
Json made_from(const PrepareConfig& config) {
  const DataConfig& data = config.data;
  const VocabConfig& vocab = config.vocab;
  Json json = Json::object();
  json.set("too_long", static_cast<int>(data.too_long)).set("empty", static_cast<int>(data.empty));
  json.set("invalid_utf8", static_cast<int>(data.invalid_utf8)).set("length_ratio", data.length_ratio);
  json.set("max_source_length", config.limits.source).set("max_target_length", config.limits.target);
  Json train = Json::array();
  for (const ParallelText& text : data.train) {
    train.push_back(content_of(text.src));
    train.push_back(content_of(text.tgt));
  }
  json.set("train", std::move(train));
  if (!data.valid.src.empty()) json.set("valid_src", content_of(data.valid.src)).set("valid_tgt", content_of(data.valid.tgt));
  json.set("share_vocab", vocab.share_vocab);
  if (!vocab.src.empty()) json.set("vocab_src", content_of(vocab.src));
  if (!vocab.tgt.empty()) json.set("vocab_tgt", content_of(vocab.tgt));
  json.set("algorithm", vocab.algorithm == VocabAlgorithm::kBpe ? "bpe" : "unigram").set("vocab_size", vocab.vocab_size);
  json.set("character_coverage", vocab.character_coverage).set("byte_fallback", vocab.byte_fallback);
  return json;
}

void require_equal_lines(const ParallelText& text) {
  const std::int64_t source = count_lines(text.src), target = count_lines(text.tgt);
  if (source != target) {
    fail_input(fmt::format("{} has {} lines, {} has {}: parallel files need equally many (a line ends in LF and in nothing else)", text.src,
                           source, text.tgt, target));
  }
  if (source == 0) fail_input(fmt::format("{} and {}: empty, there is nothing to prepare", text.src, text.tgt));
}

void copy_vocabulary(const std::string& from, const std::string& to) {
  Vocabulary::load(from);
  write_file(to, read_whole_file(from));
}

void make_vocabularies(const PrepareConfig& config) {
  const VocabConfig& vocab = config.vocab;
  const VocabularyFiles files = vocabulary_files(config.folder, vocab.share_vocab);
  std::vector<std::string> sources, targets, both;
  for (const ParallelText& text : config.data.train) {
    sources.push_back(text.src);
    targets.push_back(text.tgt);
    both.insert(both.end(), {text.src, text.tgt});
  }
  const auto make = [&](const std::string& given, const std::vector<std::string>& learned_from, const std::string& to) {
    given.empty() ? train_vocabulary(learned_from, vocab, to) : copy_vocabulary(given, to);
  };
  if (!vocab.share_vocab) {
    make(vocab.src, sources, files.source);
    make(vocab.tgt, targets, files.target);
    return;
  }
  if (!vocab.src.empty() && !vocab.tgt.empty()) {
    const std::uint64_t a = Vocabulary::load(vocab.src).fingerprint(), b = Vocabulary::load(vocab.tgt).fingerprint();
    if (a != b) {
      fail_input(fmt::format("vocab.share_vocab: true, but {} ({:016x}) and {} ({:016x}) differ; set share_vocab: false", vocab.src, a,
                             vocab.tgt, b));
    }
  }
  make(vocab.src.empty() ? vocab.tgt : vocab.src, both, files.source);
}

void add(PrepareAccount& sum, const PrepareAccount& a) {
  sum.lines += a.lines;
  sum.kept += a.kept;
  sum.invalid_utf8 += a.invalid_utf8;
  sum.empty += a.empty;
  sum.too_long += a.too_long;
  sum.length_ratio += a.length_ratio;
  sum.repaired += a.repaired;
  sum.cropped += a.cropped;
}

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

/// Reads both files side by side, chunk by chunk. `text` (if any) gets a copy of every line, repaired.
void encode_corpus(const ParallelText& files, const SentenceFilter& filter, DatasetWriter& writer, PrepareAccount& account,
                   std::optional<std::pair<OutputFile&, OutputFile&>> text) {
  LineReader source(files.src), target(files.tgt);
  std::vector<TextPair> pairs;
  const auto finish_chunk = [&] {
    for (const EncodedPair& pair : encode_all(filter, pairs, files)) {
      add(account, pair.account);
      if (pair.account.kept > 0) writer.add(pair.source, pair.target);
    }
    pairs.clear();
  };
  for (TextPair pair; source.next(pair.source.text) && target.next(pair.target.text);) {
    pair.number = source.number();
    pair.source.truncated = source.truncated();
    pair.target.truncated = target.truncated();
    if (text) {
      const std::string src = repair_utf8(pair.source.text) + "\n", tgt = repair_utf8(pair.target.text) + "\n";
      text->first.append(src.data(), static_cast<std::int64_t>(src.size()));
      text->second.append(tgt.data(), static_cast<std::int64_t>(tgt.size()));
    }
    pairs.push_back(std::move(pair));
    pair = {};
    if (pairs.size() == kChunkPairs) finish_chunk();
  }
  finish_chunk();
}

void require_enough_kept(const PrepareAccount& account, const DataConfig& data, const std::string& names) {
  const double share = static_cast<double>(account.dropped()) / static_cast<double>(account.lines);
  if (account.kept == 0 || share > data.max_skipped) {
    fail_input(fmt::format("{}: {:.2f} % dropped, data.max_skipped allows {:.2f} %: {}", names, 100 * share, 100 * data.max_skipped,
                           describe(account)));
  }
}

PrepareAccount write_split(const PrepareConfig& config, const std::vector<ParallelText>& corpora, const std::string& split) {
  const VocabularyFiles vocabularies = vocabulary_files(config.folder, config.vocab.share_vocab);
  const Vocabulary source = Vocabulary::load(vocabularies.source), target = Vocabulary::load(vocabularies.target);
  const std::string folder = config.folder + "/" + split;
  std::filesystem::create_directories(folder);
  const SentenceFilter filter(config.data, config.limits, source, target);
  DatasetWriter writer(folder, info_of(source), info_of(target));
  PrepareAccount account;
  if (split == "valid") {
    OutputFile source_text(folder + "/text.src"), target_text(folder + "/text.tgt");
    encode_corpus(corpora.front(), filter, writer, account, {{source_text, target_text}});
    source_text.commit();
    target_text.commit();
  } else {
    for (const ParallelText& files : corpora) encode_corpus(files, filter, writer, account, std::nullopt);
  }
  require_enough_kept(account, config.data, fmt::format("{}, {}", corpora.front().src, corpora.front().tgt));
  writer.commit();
  return account;
}

}  // namespace

PrepareReport prepare(const PrepareConfig& config) {
  if (config.data.train.empty()) fail_input("data.train: no files are named");
  for (const ParallelText& text : config.data.train) require_equal_lines(text);
  const bool has_valid = !config.data.valid.src.empty();
  if (has_valid) require_equal_lines(config.data.valid);
  std::error_code error;
  std::filesystem::create_directories(config.folder, error);
  if (error) fail_input(fmt::format("{}: cannot be created: {}", config.folder, error.message()));
  std::filesystem::remove(config.folder + "/prepared.json", error);
  make_vocabularies(config);
  PrepareReport report;
  report.train = write_split(config, config.data.train, "train");
  Json json = Json::object();
  json.set("format", kPreparedFormat).set("shared_vocabulary", config.vocab.share_vocab);
  json.set("made_from", made_from(config)).set("train", to_json(report.train));
  if (has_valid) {
    report.valid = write_split(config, {config.data.valid}, "valid");
    json.set("valid", to_json(report.valid));
  }
  write_file(config.folder + "/prepared.json", json.dump(2) + "\n");
  return report;
}

bool is_prepared(const PrepareConfig& config) {
  if (!std::filesystem::exists(config.folder + "/prepared.json")) return false;
  return read_prepared_json(config.folder).at("made_from") == made_from(config);
}

}  // namespace weft
