#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "inference/search/search_problem.h"
#include "runtime/context.h"

namespace weft {

/// Sentences that are decoded together: their state on the device, and their logits on the host. Memory of ctx is given back at its end.
class DecodingBatch {
 public:
  /// Encodes the sources. Room for `beams` hypotheses of each sentence; one of each is live at first.
  DecodingBatch(Context&, const SearchProblem&, std::span<const std::vector<std::int32_t>> sources, const SourceBatch&, int beams);
  ~DecodingBatch();
  DecodingBatch(const DecodingBatch&) = delete;
  DecodingBatch& operator=(const DecodingBatch&) = delete;

  /// Reads the last token of each live hypothesis; returns logits (N, V) in host memory, until the next step; they
  /// may be written. Nothing on the dry device.
  Tensor step(std::vector<std::int32_t>& last_tokens);
  /// Live hypothesis i continues what was parents[i]. At most sentences x beams.
  void reorder(std::vector<std::int32_t>& parents);

 private:
  Tensor upload(std::string_view name, std::vector<std::int32_t>& ids);

  Context& ctx_;
  const SearchProblem& problem_;
  StepArena::Mark mark_;
  std::int64_t live_;
  std::unique_ptr<DecodeState> state_;
  Memory host_logits_;
};

/// Host memory for the logits of this many hypotheses.
std::int64_t host_logits_bytes(const SearchProblem&, std::int64_t hypotheses);

/// The batches of a search: problem.beam_size hypotheses to a sentence. A source without its end token is an error.
std::vector<SourceBatch> cut_search_batches(const SearchProblem&, std::span<const std::vector<std::int32_t>> sources);

}  // namespace weft
