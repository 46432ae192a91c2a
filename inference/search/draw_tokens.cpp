#include "inference/search/draw_tokens.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

struct Candidate {
  std::int32_t token;
  double logit;
  double weight = 0;  // its probability, but for a factor common to all
};

bool better(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.token < b.token;
}

double set_weights(std::vector<Candidate>& candidates, double temperature) {
  const double largest = std::ranges::max(candidates, {}, &Candidate::logit).logit;
  double sum = 0;
  for (Candidate& candidate : candidates) sum += candidate.weight = std::exp((candidate.logit - largest) / temperature);
  return sum;
}

/// Leaves what may be drawn, and returns the sum of its weights.
double truncate(std::vector<Candidate>& candidates, const Sampling& sampling) {
  const auto k = static_cast<std::size_t>(sampling.top_k);
  if (k > 0 && k < candidates.size()) {
    std::partial_sort(candidates.begin(), candidates.begin() + sampling.top_k, candidates.end(), better);
    candidates.resize(k);
  }
  const double sum = set_weights(candidates, sampling.temperature);
  if (sampling.top_p >= 1) return sum;
  std::ranges::sort(candidates, better);
  double kept = 0;
  std::size_t count = 0;
  while (count < candidates.size() && (count == 0 || kept < sampling.top_p * sum)) kept += candidates[count++].weight;
  candidates.resize(count);
  return kept;
}

std::int32_t drawn(const std::vector<Candidate>& candidates, double sum, double uniform) {
  double cumulated = 0;
  for (const Candidate& candidate : candidates) {
    cumulated += candidate.weight;
    if (cumulated > uniform * sum) return candidate.token;
  }
  return candidates.back().token;  // rounding
}

/// Not finite where the logits are not.
template <class Real>
double log_sum_exp(std::span<const Real> row) {
  const auto largest = static_cast<double>(*std::ranges::max_element(row));
  double sum = 0;
  for (const Real logit : row) sum += std::exp(static_cast<double>(logit) - largest);
  return largest + std::log(sum);
}

/// The log probability is not finite where the logits are not.
template <class Real>
NextToken draw_from(std::span<const Real> row, const Draw& draw, const Sampling& sampling, const TokenRules& rules) {
  const double normalizer = log_sum_exp(row);
  if (!std::isfinite(normalizer)) return {rules.special.eos, normalizer};  // what is not a number cannot be sorted
  std::vector<Candidate> candidates;
  for (std::size_t v = 0; v < row.size(); ++v) {
    const auto token = static_cast<std::int32_t>(v);
    if (rules.allow(token, draw.rule)) candidates.push_back({token, static_cast<double>(row[v])});
  }
  std::int32_t token = rules.special.eos;
  if (!candidates.empty()) {
    const double weights = truncate(candidates, sampling);
    token = drawn(candidates, weights, draw.uniform);
  }
  return {token, static_cast<double>(row[static_cast<std::size_t>(token)]) - normalizer};
}

template <class Real>
std::vector<NextToken> draw_all(const Tensor& logits, std::span<const Draw> draws, const Sampling& sampling, const TokenRules& rules) {
  const auto vocab_size = static_cast<std::size_t>(logits.size(1));
  const std::span<const Real> all = logits.span<Real>();
  std::vector<NextToken> tokens(draws.size());
  std::int64_t broken = 0;
#pragma omp parallel for schedule(dynamic) reduction(+ : broken)
  for (std::size_t i = 0; i < draws.size(); ++i) {
    tokens[i] = draw_from(all.subspan(static_cast<std::size_t>(draws[i].row) * vocab_size, vocab_size), draws[i], sampling, rules);
    broken += !std::isfinite(tokens[i].log_prob);
  }
  if (broken > 0) fail_numerics(fmt::format("decoding: the logits of {} of {} draws are not finite", broken, draws.size()));
  return tokens;
}

}  // namespace

std::vector<NextToken> draw_tokens(const Tensor& logits, std::span<const Draw> draws, const Sampling& sampling, const TokenRules& rules) {
  if (logits.dtype == DType::kFloat64) return draw_all<double>(logits, draws, sampling, rules);
  return draw_all<float>(logits, draws, sampling, rules);
}

}  // namespace weft
