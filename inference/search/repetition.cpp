#include "inference/search/repetition.h"

#include <algorithm>

namespace weft {
namespace {

std::vector<std::int32_t> sorted_once(std::vector<std::int32_t> tokens) {
  std::ranges::sort(tokens);
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  return tokens;
}

template <class Real>
void penalize(std::span<Real> logits, const std::vector<std::int32_t>& tokens, double penalty) {
  for (const std::int32_t token : tokens) {
    Real& logit = logits[static_cast<std::size_t>(token)];
    logit = static_cast<Real>(logit > 0 ? static_cast<double>(logit) / penalty : static_cast<double>(logit) * penalty);
  }
}

}  // namespace

std::vector<std::int32_t> ends_of_repeated_ngrams(std::span<const std::int32_t> tokens, std::int64_t n) {
  const auto context = static_cast<std::size_t>(std::max<std::int64_t>(n - 1, 0));
  if (n <= 0 || tokens.size() <= context) return {};
  const auto last = tokens.last(context);
  std::vector<std::int32_t> ends;
  for (std::size_t end = context; end < tokens.size(); ++end) {
    if (std::ranges::equal(tokens.subspan(end - context, context), last)) ends.push_back(tokens[end]);
  }
  return sorted_once(std::move(ends));
}

void penalize_repetition(const Tensor& logits, std::span<const std::int32_t> tokens, double penalty) {
  if (penalty == 1 || tokens.empty()) return;
  const std::vector<std::int32_t> said = sorted_once({tokens.begin(), tokens.end()});
  if (logits.dtype == DType::kFloat64) return penalize(logits.span<double>(), said, penalty);
  penalize(logits.span<float>(), said, penalty);
}

}  // namespace weft
