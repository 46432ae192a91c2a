#pragma once
#include <cstdint>
#include <optional>

#include "data/vocabulary/vocabulary.h"
#include "inference/search/draw_tokens.h"
#include "inference/search/repetition.h"
#include "inference/source_batch.h"
#include "models/generator.h"
#include "runtime/dtype.h"

namespace weft {

/// A model to search in, and the rules of the search.
struct SearchProblem {
  Generator& generator;
  SearchLimits limits;
  SpecialIds target;  // ids of the output
  std::int64_t source_vocab_size = 0;
  int beam_size = 1;  // hypotheses kept of a sentence; 1: greedy
  int n_best = 1;     // hypotheses returned, at most beam_size
  LengthPenalty length_penalty = LengthPenalty::kAverage;
  double alpha = 1;                // exponent of the length penalty
  std::int64_t batch_size = 4096;  // source tokens decoded together
  bool allow_unk = false;
  bool align = false;                    // outputs are aligned with their sources
  Repetition repetition;                 // kept down in what is searched and drawn, not in given targets
  std::optional<Sampling> sampling;      // n_best outputs are drawn; beam_size is n_best
  DType logits_dtype = DType::kFloat32;  // sum type of the model
};

}  // namespace weft
