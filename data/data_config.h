#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// Two parallel text files, one sentence a line.
struct ParallelText {
  std::string src;
  std::string tgt;
};

/// What the budget of an update counts: target or source tokens, whichever is more, or sentences.
enum class BatchType { kTokens, kSents };

enum class TooLong { kSkip, kCrop, kError };
enum class Empty { kSkip, kError };
enum class InvalidUtf8 { kError, kSkip, kReplace };

/// Section `data` of the configuration.
struct DataConfig {
  std::vector<ParallelText> train;
  ParallelText valid;    // empty names: none
  std::string prepared;  // a folder made by `weft prepare`, instead of train and valid; empty: none
  TooLong too_long = TooLong::kSkip;
  Empty empty = Empty::kSkip;
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kError;
  double length_ratio = 0;  // 0: off
  double max_skipped = 0.05;
  bool shuffle = true;
  std::int64_t bucket_size = 100000;
};

enum class VocabAlgorithm { kBpe, kUnigram };

/// Section `vocab` of the configuration (type: sentencepiece).
struct VocabConfig {
  std::string src, tgt;  // existing vocabulary files; empty: learned
  VocabAlgorithm algorithm = VocabAlgorithm::kBpe;
  bool share_vocab = true;
  std::int64_t vocab_size = 32000;
  double character_coverage = 1.0;
  bool byte_fallback = true;
};

}  // namespace weft
