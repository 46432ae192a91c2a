#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/vocabulary.h"
#include "inference/source_batch.h"
#include "models/generator.h"
#include "runtime/context.h"

namespace weft {

/// A model to search in, and the rules of the search.
struct SearchProblem {
  Generator& generator;
  SearchLimits limits;
  SpecialIds target;  // ids of the output
  std::int64_t source_vocab_size = 0;
  std::int64_t batch_size = 4096;  // source tokens decoded together
  bool allow_unk = false;
  DType logits_dtype = DType::kFloat32;  // sum type of the model
};

/// The most probable token at every step, ties to the lower id: for every source (ids with eos) the output without bos and with eos, in the
/// order of the sources. bos is never generated, unk only with allow_unk, the end token not before min_length and always at the longest
/// output, so every output ends. Sentences of similar length are decoded together; those that have ended leave. Takes saved memory and
/// scratch of ctx, at most what `decoding_arena_bytes` says, and gives it back. Logits that are not finite are an error.
std::vector<std::vector<std::int32_t>> greedy_search(Context&, const SearchProblem&, std::span<const std::vector<std::int32_t>> sources);

/// One batch of it. On the dry device, which computes nothing, no sentence ends before max_steps.
void greedy_search_batch(Context&, const SearchProblem&, std::span<const std::vector<std::int32_t>> sources, const SourceBatch&,
                         std::span<std::vector<std::int32_t>> outputs);

}  // namespace weft
