#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "inference/decoding_config.h"
#include "runtime/context.h"
#include "runtime/rows.h"

namespace weft {

/// What bounds a search, all in tokens with the end token counted.
struct SearchLimits {
  std::int64_t min_length = 1;
  std::int64_t max_length = 256;
  double ratio = 3.0;

  /// From the configuration, whose min_length counts without the end token, and model.max_length, which counts it.
  static SearchLimits from(const DecodingConfig&, std::int64_t model_max_length);
  /// Longest output of a source of `source_length` tokens, its end token included: at this length the end token is forced.
  std::int64_t longest_output(std::int64_t source_length) const;
};

/// Sentences that are decoded together.
struct SourceBatch {
  std::vector<std::size_t> sentences;  // their places in the caller's list, longest first
  std::int64_t rows = 0;               // source tokens
  std::int64_t max_source_length = 0;
  std::int64_t max_steps = 0;  // of the sentence that may become longest
};

/// Of one sentence, in tokens with the end token.
struct SentenceExtent {
  std::int64_t source_length = 0;
  std::int64_t steps = 0;  // the most that its output may take
};

/// Key-value rows a batch may take for each source token of `batch_size`: sentences x beams x max_steps of a batch stays within
/// kCacheRowsPerToken x batch_size, so that memory has a bound that does not depend on how short the sentences are.
inline constexpr std::int64_t kCacheRowsPerToken = 4;

/// Cuts sentences, sorted by source length, into batches of at most `batch_size` source tokens, `beams` hypotheses to a sentence. A longer
/// sentence is a batch by itself.
std::vector<SourceBatch> cut_source_batches(std::span<const SentenceExtent>, std::int64_t batch_size, int beams);

/// Rows of the sentences of a batch in saved memory of ctx; `sentences` end in eos. Touches nothing on the dry device.
Rows upload_sources(Context&, std::span<const std::vector<std::int32_t>> sentences, const SourceBatch&, std::int64_t vocab_size);

}  // namespace weft
