#include "inference/search/beam_search.h"

#include <algorithm>
#include <numeric>

#include "inference/decoding_batch.h"
#include "inference/search/next_tokens.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// A live hypothesis, extended by one token.
struct Extension {
  std::size_t parent;  // its place among the live hypotheses of the sentence, which are ranked
  NextToken next;
  double log_prob;  // with the token
};

/// The hypotheses of one sentence.
class Beam {
 public:
  Beam(const SearchProblem& problem, std::size_t sentence, std::int64_t longest_output)
      : problem_(&problem), sentence_(sentence), longest_output_(longest_output) {}

  std::size_t sentence() const { return sentence_; }
  std::span<const Hypothesis> live() const { return live_; }

  /// Of the next token.
  End end() const {
    const auto length = static_cast<std::int64_t>(live_.front().tokens.size()) + 1;
    if (length >= longest_output_) return End::kForced;
    return length >= problem_->limits.min_length ? End::kAllowed : End::kForbidden;
  }

  /// `next` (live x count): the most probable tokens after each live hypothesis. Appends to `parents` the place of the parent of each that
  /// lives on, counted from `first_row`.
  void extend(std::span<const NextToken> next, std::size_t first_row, std::vector<std::int32_t>& parents) {
    const auto beam_size = static_cast<std::size_t>(problem_->beam_size);
    std::vector<Hypothesis> live;
    std::size_t rank = 0;
    for (const Extension& candidate : ranked(next)) {
      if (live.size() == beam_size || finished_.size() == beam_size) break;
      const bool among_first = rank++ < beam_size;
      if (candidate.next.token != problem_->target.eos) {
        live.push_back(extended(candidate));
        parents.push_back(static_cast<std::int32_t>(first_row + candidate.parent));
      } else if (among_first) {
        finished_.push_back(extended(candidate));
      }
    }
    if (finished_.size() == beam_size) {
      parents.resize(parents.size() - live.size());
      live.clear();
    }
    live_ = std::move(live);
  }

  /// The best finished hypotheses.
  std::vector<Hypothesis> take_best() {
    if (finished_.empty()) fail("decoding: no token may follow");
    return best_of(std::move(finished_), *problem_);
  }

 private:
  /// All continuations, best first.
  std::vector<Extension> ranked(std::span<const NextToken> next) const {
    std::vector<Extension> candidates;
    candidates.reserve(next.size());
    const std::size_t count = next.size() / live_.size();
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (next[i].token >= 0) candidates.push_back({i / count, next[i], live_[i / count].log_prob + next[i].log_prob});
    }
    // Stable: what is equal stays in the order of parents, then ids.
    std::stable_sort(candidates.begin(), candidates.end(), [](const Extension& a, const Extension& b) { return a.log_prob > b.log_prob; });
    return candidates;
  }

  Hypothesis extended(const Extension& candidate) const {
    Hypothesis hypothesis = live_[candidate.parent];
    hypothesis.append(candidate.next.token, candidate.next.log_prob);
    return hypothesis;
  }

  const SearchProblem* problem_;
  std::size_t sentence_;
  std::int64_t longest_output_;
  std::vector<Hypothesis> live_{1};  // best first; at the start the empty one
  std::vector<Hypothesis> finished_;
};

/// Reads `logits` of all live hypotheses; beams that are done hand over their outputs and leave. Returns the parents of those that live.
std::vector<std::int32_t> extend_all(const SearchProblem& problem, const Tensor& logits, std::vector<Beam>& beams,
                                     std::span<std::vector<Hypothesis>> outputs) {
  std::vector<NextRule> rules;
  for (const Beam& beam : beams) {
    for (const Hypothesis& hypothesis : beam.live()) {
      const auto row_number = static_cast<std::int64_t>(rules.size());
      penalize_repetition(logits.rows(row_number, 1), hypothesis.tokens, problem.repetition.penalty);
      rules.push_back({.end = beam.end(), .forbidden = ends_of_repeated_ngrams(hypothesis.tokens, problem.repetition.ngram)});
    }
  }
  // beam_size that do not end, and the one that does.
  const std::int64_t count = problem.beam_size + 1;
  const std::vector<NextToken> next = most_probable_tokens(logits, rules, count, {.special = problem.target, .unk = problem.allow_unk});
  std::vector<std::int32_t> parents;
  std::size_t row = 0;
  for (Beam& beam : beams) {
    const std::size_t rows = beam.live().size();
    const auto width = static_cast<std::size_t>(count);
    beam.extend(std::span(next).subspan(row * width, rows * width), row, parents);
    row += rows;
    if (beam.live().empty()) outputs[beam.sentence()] = beam.take_best();
  }
  std::erase_if(beams, [](const Beam& beam) { return beam.live().empty(); });
  return parents;
}

}  // namespace

void beam_search_batch(Context& ctx, const SearchProblem& problem, std::span<const std::vector<std::int32_t>> sources,
                       const SourceBatch& batch, std::span<std::vector<Hypothesis>> outputs) {
  DecodingBatch decoding(ctx, problem, sources, batch, problem.beam_size);
  if (!ctx.device.computes()) {
    std::vector<std::int32_t> nothing;
    for (std::int64_t step = 0; step < batch.max_steps; ++step) {
      decoding.step(nothing);
      decoding.reorder(nothing);
    }
    return;
  }
  std::vector<Beam> beams;
  for (const std::size_t i : batch.sentences) {
    beams.emplace_back(problem, i, problem.limits.longest_output(static_cast<std::int64_t>(sources[i].size())));
  }
  std::vector<std::int32_t> last_tokens(beams.size(), problem.target.bos);
  while (true) {
    std::vector<std::int32_t> parents = extend_all(problem, decoding.step(last_tokens), beams, outputs);
    if (beams.empty()) return;
    decoding.reorder(parents);
    last_tokens.clear();
    for (const Beam& beam : beams) {
      for (const Hypothesis& hypothesis : beam.live()) last_tokens.push_back(hypothesis.tokens.back());
    }
  }
}

std::vector<std::vector<Hypothesis>> beam_search(Context& ctx, const SearchProblem& problem,
                                                 std::span<const std::vector<std::int32_t>> sources) {
  std::vector<std::vector<Hypothesis>> outputs(sources.size());
  for (const SourceBatch& batch : cut_search_batches(problem, sources)) {
    beam_search_batch(ctx, problem, sources, batch, outputs);
  }
  return outputs;
}

}  // namespace weft
