#include "inference/search/sampling.h"

#include <numeric>
#include <utility>

#include "inference/decoding_batch.h"
#include "runtime/random.h"

namespace weft {
namespace {

/// An output that is being drawn.
struct Drawing {
  std::size_t sentence;
  std::int64_t number;  // of its line
  std::int64_t place;   // among the draws of the sentence
  std::int64_t longest_output;
  Hypothesis so_far = {};

  std::int64_t steps() const { return static_cast<std::int64_t>(so_far.tokens.size()); }
};

/// [0, 1), 53 bits.
double uniform_of(RandomKey key, const Drawing& drawing) {
  const auto number = static_cast<std::uint64_t>(drawing.number);
  const RandomCounter words = philox(key, {static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32),
                                           static_cast<std::uint32_t>(drawing.place), static_cast<std::uint32_t>(drawing.steps())});
  const std::uint64_t bits = (static_cast<std::uint64_t>(words[0]) << 32 | words[1]) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

NextRule rule_of(const Drawing& drawing, const SearchProblem& problem) {
  const std::int64_t length = drawing.steps() + 1;
  NextRule rule{.forbidden = ends_of_repeated_ngrams(drawing.so_far.tokens, problem.repetition.ngram)};
  if (length < problem.limits.min_length) rule.end = End::kForbidden;
  if (length >= drawing.longest_output) rule.end = End::kForced;
  return rule;
}

/// What is being drawn for the sentences of one batch.
class Drawings {
 public:
  Drawings(const SearchProblem& problem, const SourceBatch& batch, std::span<const std::vector<std::int32_t>> sources,
           std::span<const std::int64_t> numbers)
      : problem_(problem),
        key_(random_key(problem.sampling->seed, "decoding.sample")),
        last_tokens_(batch.sentences.size(), problem.target.bos) {
    for (std::size_t b = 0; b < batch.sentences.size(); ++b) {
      const std::size_t i = batch.sentences[b];
      const std::int64_t longest = problem.limits.longest_output(static_cast<std::int64_t>(sources[i].size()));
      for (std::int64_t place = 0; place < problem.n_best; ++place) {
        live_.push_back({.sentence = i, .number = numbers[i], .place = place, .longest_output = longest});
        row_of_.push_back(static_cast<std::int64_t>(b));
      }
    }
  }

  std::vector<std::int32_t>& last_tokens() { return last_tokens_; }

  /// Draws a token for each; what ends goes to `outputs`. Returns the parents of those that live on.
  std::vector<std::int32_t> extend(const Tensor& logits, std::span<std::vector<Hypothesis>> outputs) {
    const std::vector<NextToken> drawn = draw(logits);
    std::vector<Drawing> going_on;
    std::vector<std::int32_t> parents;
    last_tokens_.clear();
    for (std::size_t i = 0; i < live_.size(); ++i) {
      live_[i].so_far.append(drawn[i].token, drawn[i].log_prob);
      if (drawn[i].token == problem_.target.eos) {
        outputs[live_[i].sentence].push_back(std::move(live_[i].so_far));
        continue;
      }
      parents.push_back(static_cast<std::int32_t>(row_of_[i]));
      last_tokens_.push_back(drawn[i].token);
      going_on.push_back(std::move(live_[i]));
    }
    live_ = std::move(going_on);
    row_of_.resize(live_.size());
    std::iota(row_of_.begin(), row_of_.end(), std::int64_t{0});
    return parents;
  }

 private:
  std::vector<NextToken> draw(const Tensor& logits) const {
    std::vector<Draw> wanted;
    for (std::size_t i = 0; i < live_.size(); ++i) {
      // While draws share a row nothing was said yet, so no row is penalized twice.
      penalize_repetition(logits.rows(row_of_[i], 1), live_[i].so_far.tokens, problem_.repetition.penalty);
      wanted.push_back({.row = row_of_[i], .rule = rule_of(live_[i], problem_), .uniform = uniform_of(key_, live_[i])});
    }
    return draw_tokens(logits, wanted, *problem_.sampling, {.special = problem_.target, .unk = problem_.allow_unk});
  }

  const SearchProblem& problem_;
  RandomKey key_;
  std::vector<Drawing> live_;
  std::vector<std::int64_t> row_of_;  // of the logits; at the first step all draws of a sentence share its one row
  std::vector<std::int32_t> last_tokens_;
};

}  // namespace

std::vector<std::vector<Hypothesis>> sample_outputs(Context& ctx, const SearchProblem& problem,
                                                    std::span<const std::vector<std::int32_t>> sources,
                                                    std::span<const std::int64_t> numbers) {
  std::vector<std::vector<Hypothesis>> outputs(sources.size());
  for (const SourceBatch& batch : cut_search_batches(problem, sources)) {
    DecodingBatch decoding(ctx, problem, sources, batch, problem.n_best);
    Drawings drawings(problem, batch, sources, numbers);
    while (true) {
      std::vector<std::int32_t> parents = drawings.extend(decoding.step(drawings.last_tokens()), outputs);
      if (parents.empty()) break;
      decoding.reorder(parents);
    }
  }
  for (std::vector<Hypothesis>& of_sentence : outputs) of_sentence = best_of(std::move(of_sentence), problem);
  return outputs;
}

}  // namespace weft
