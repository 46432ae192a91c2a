#pragma once
#include <cstdint>

namespace weft {

/// What the log probability of a finished hypothesis of n tokens, the end token included, is divided by:
/// kAverage: n^alpha; kWu (Wu et al. 2016, arXiv:1609.08144): ((5 + n) / 6)^alpha; kNone: 1.
enum class LengthPenalty { kAverage, kWu, kNone };

/// Which scores are printed beside the text.
enum class PrintedScores { kNone, kSentence, kWord };

/// Which alignments are printed beside the text.
enum class PrintedAlignment { kNone, kHard, kSoft };

/// Section `decoding` of the configuration.
struct DecodingConfig {
  int beam_size = 5;
  int n_best = 1;
  LengthPenalty length_penalty = LengthPenalty::kAverage;
  double alpha = 1;
  std::int64_t min_length = 0;
  std::int64_t max_length = 0;    // end token included; 0: model.max_length
  double max_length_ratio = 3.0;  // output <= ratio x source tokens + 10
  bool sample = false;            // n_best outputs are drawn, beam_size does not matter
  double temperature = 1;
  std::int64_t top_k = 0;            // 0: all
  double top_p = 1;                  // 1: all
  std::int64_t no_repeat_ngram = 0;  // 0: off
  double repetition_penalty = 1;     // 1: off
  bool allow_unk = false;
  PrintedScores scores = PrintedScores::kNone;
  PrintedAlignment alignment = PrintedAlignment::kNone;
  std::int64_t batch_size = 4096;  // source tokens decoded together
};

}  // namespace weft
