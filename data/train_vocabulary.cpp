#include "data/train_vocabulary.h"

#include <memory>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sentencepiece_trainer.h>

#include "data/output_file.h"
#include "data/text_file.h"
#include "data/utf8.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::int64_t kMaxLines = 5'000'000;
constexpr std::size_t kMaxSentenceBytes = 4192;  // the library's own default, above which it drops the sentence

/// Hands the library the usable lines of several files, `stride` apart.
class Sentences : public sentencepiece::SentenceIterator {
 public:
  Sentences(const std::vector<std::string>& files, std::int64_t stride) : files_(files), stride_(stride) { Next(); }
  bool done() const override { return done_; }
  const std::string& value() const override { return line_; }
  sentencepiece::util::Status status() const override { return {}; }

  void Next() override {
    while (read_line()) {
      if (count_++ % stride_ != 0) continue;
      if (find_invalid_utf8(line_) != std::string_view::npos) continue;
      line_.resize(utf8_prefix(line_, kMaxSentenceBytes).size());
      if (!line_.empty()) return;
    }
    done_ = true;
  }

 private:
  bool read_line() {
    while (true) {
      if (reader_ != nullptr && reader_->next(line_)) return true;
      if (next_file_ == files_.size()) return false;
      reader_ = std::make_unique<LineReader>(files_[next_file_++]);
    }
  }

  const std::vector<std::string>& files_;
  std::int64_t stride_, count_ = 0;
  std::size_t next_file_ = 0;
  std::unique_ptr<LineReader> reader_;
  std::string line_;
  bool done_ = false;
};

/// The library speaks as "Internal: ./src/file.cc(660) [(condition)] sentence": the sentence is what a user can act on.
std::string reason(const std::string& status) {
  const std::size_t bracket = status.rfind("] ");
  return bracket == std::string::npos || bracket + 2 >= status.size() ? status : status.substr(bracket + 2);
}

std::string join(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

void train_vocabulary(const std::vector<std::string>& files, const VocabConfig& config, const std::string& path) {
  std::int64_t lines = 0;
  for (const std::string& file : files) lines += count_lines(file);
  if (lines == 0) fail_input(fmt::format("{}: no text to learn a vocabulary from", join(files)));
  const std::unordered_map<std::string, std::string> options{
      {"model_type", config.algorithm == VocabAlgorithm::kBpe ? "bpe" : "unigram"},
      {"vocab_size", fmt::format("{}", config.vocab_size)},
      {"character_coverage", fmt::format("{}", config.character_coverage)},
      {"byte_fallback", config.byte_fallback ? "true" : "false"},
      {"max_sentence_length", fmt::format("{}", 4 * kMaxSentenceBytes)},
      {"unk_id", "0"},
      {"bos_id", "1"},
      {"eos_id", "2"},
      {"pad_id", "-1"},
      {"num_threads", "4"},  // unigram sums by thread: the number is part of the result, so it must not follow the machine
      {"minloglevel", "3"}};
  Sentences sentences(files, (lines + kMaxLines - 1) / kMaxLines);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &sentences, &model);
  if (!status.ok()) {
    fail_input(fmt::format("vocab.vocab_size: {} cannot be learned from {} ({} lines): {}", config.vocab_size, join(files), lines,
                           reason(status.ToString())));
  }
  write_file(path, model);
}

}  // namespace weft
