#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft {

enum class Side { kSource, kTarget };

/// Parallel text, one sentence pair a line: two files, or one file of two tab-separated columns.
struct ParallelText {
  std::string src, tgt;       // two files
  std::string file;           // or one; src and tgt are empty then
  bool target_first = false;  // columns: [tgt, src]
  bool given() const { return !src.empty() || !file.empty(); }
  friend bool operator==(const ParallelText&, const ParallelText&) = default;
};

/// What the budget of an update counts: target or source tokens, whichever is more, or sentences.
enum class BatchType { kTokens, kSents };

enum class TooLong { kSkip, kCrop, kError };
enum class Empty { kSkip, kError };
enum class InvalidUtf8 { kError, kSkip, kReplace };

/// Section `data` of the configuration.
struct DataConfig {
  std::vector<ParallelText> train;
  ParallelText valid;    // not given: none
  std::string prepared;  // a folder made by `weft prepare`, instead of train and valid; empty: none
  TooLong too_long = TooLong::kSkip;
  Empty empty = Empty::kSkip;
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kError;
  double length_ratio = 0;  // 0: off
  double max_skipped = 0.05;
  bool shuffle = true;
  std::int64_t bucket_size = 100000;
};

/// What a token is: a piece of a word, a word between blanks, a character, a byte of the UTF-8 text.
enum class VocabType { kSentencePiece, kWord, kChar, kByte };
enum class VocabAlgorithm { kBpe, kUnigram };
/// What a learned SentencePiece vocabulary does to text before it cuts it, the rules of the library by name; cf: case folding too.
enum class TextNormalization { kIdentity, kNmtNfkc, kNfkc, kNmtNfkcCf, kNfkcCf };
inline constexpr std::array<std::pair<const char*, TextNormalization>, 5> kTextNormalizations{
    {{"identity", TextNormalization::kIdentity},
     {"nmt_nfkc", TextNormalization::kNmtNfkc},
     {"nfkc", TextNormalization::kNfkc},
     {"nmt_nfkc_cf", TextNormalization::kNmtNfkcCf},
     {"nfkc_cf", TextNormalization::kNfkcCf}}};

/// Section `vocab` of the configuration.
struct VocabConfig {
  std::string src, tgt;  // existing vocabulary files; empty: learned
  VocabType type = VocabType::kSentencePiece;
  VocabAlgorithm algorithm = VocabAlgorithm::kBpe;  // this and the last three: sentencepiece only
  bool share_vocab = true;
  std::int64_t vocab_size = 32000;  // not of bytes, which are 256 and the 3 special ones
  double character_coverage = 1.0;
  bool byte_fallback = true;
  TextNormalization normalization = TextNormalization::kIdentity;  // both sides alike
};

/// Whether not every side has an existing vocabulary.
inline bool learns_vocabulary(const VocabConfig& vocab) {
  return vocab.share_vocab ? vocab.src.empty() && vocab.tgt.empty() : vocab.src.empty() || vocab.tgt.empty();
}

}  // namespace weft
