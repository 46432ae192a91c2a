#include "inference/search/next_tokens.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

/// A row is looked at in blocks; a block whose maximum is too small holds no candidate.
constexpr std::size_t kBlock = 64;
constexpr std::size_t kLanes = 16;
static_assert(kBlock % kLanes == 0);

/// e^x for x <= 0 within 2e-7 relative, e^-87 below -87; NaN stays NaN. Written so that the compiler does many at once: e^x = 2^n e^r,
/// |r| <= ln(2) / 2, n rounded by adding 1.5 x 2^23, e^r by Cephes' polynomial.
inline float exp_of_nonpositive(float x) {
  constexpr float kRound = 12582912.0f;
  const float bounded = x < -87.0f ? -87.0f : x;
  const float shifted = bounded * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float r = bounded - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const float power = std::bit_cast<float>((std::bit_cast<std::uint32_t>(shifted) + 127u) << 23);
  return p * power;
}

inline double exp_of_nonpositive(double x) {
  return std::exp(x);
}

/// One row of logits with the maximum of each block.
template <class Real>
class Row {
 public:
  Row(const Real* logits, std::size_t size) : logits_(logits), size_(size), maxima_((size + kBlock - 1) / kBlock) {
    for (std::size_t b = 0; b < maxima_.size(); ++b) maxima_[b] = maximum_of(block(b));
  }

  /// log sum_v e^logit_v; not finite where the logits are not. Blocks are summed in floats, their sums in doubles.
  double log_sum_exp() const {
    const Real maximum = *std::ranges::max_element(maxima_);
    if (!std::isfinite(maximum)) return maximum;
    double sum = 0;
    for (std::size_t b = 0; b < maxima_.size(); ++b) sum += sum_of_exponentials(block(b), maximum);
    return static_cast<double>(maximum) + std::log(sum);
  }

  double logit(std::int32_t token) const { return static_cast<double>(logits_[static_cast<std::size_t>(token)]); }

  /// Fills `best` with the allowed tokens of the largest logits.
  template <class Allowed>
  void select(std::span<NextToken> best, double log_sum_exp, const Allowed& allowed) const {
    std::size_t found = 0;
    const auto too_small = [&](Real value) { return found == best.size() && !(static_cast<double>(value) > best[found - 1].log_prob); };
    for (std::size_t b = 0; b < maxima_.size(); ++b) {
      if (too_small(maxima_[b])) continue;
      for (std::size_t v = b * kBlock; v < std::min(size_, (b + 1) * kBlock); ++v) {
        const auto token = static_cast<std::int32_t>(v);
        if (too_small(logits_[v]) || !allowed(token)) continue;
        if (found < best.size()) ++found;
        std::size_t place = found - 1;
        for (; place > 0 && logit(token) > best[place - 1].log_prob; --place) best[place] = best[place - 1];
        best[place] = {token, logit(token)};
      }
    }
    for (NextToken& next : best.first(found)) next.log_prob -= log_sum_exp;
  }

 private:
  std::span<const Real> block(std::size_t b) const { return {logits_ + b * kBlock, std::min(kBlock, size_ - b * kBlock)}; }

  static Real maximum_of(std::span<const Real> values) {
    std::array<Real, kLanes> lanes;
    lanes.fill(-std::numeric_limits<Real>::infinity());
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes) {
      for (std::size_t l = 0; l < kLanes; ++l) lanes[l] = values[i + l] > lanes[l] ? values[i + l] : lanes[l];
    }
    for (; i < values.size(); ++i) lanes[0] = std::max(lanes[0], values[i]);
    return *std::ranges::max_element(lanes);
  }

  static double sum_of_exponentials(std::span<const Real> values, Real maximum) {
    std::array<Real, kLanes> lanes{};
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes) {
      for (std::size_t l = 0; l < kLanes; ++l) lanes[l] += exp_of_nonpositive(values[i + l] - maximum);
    }
    for (; i < values.size(); ++i) lanes[0] += exp_of_nonpositive(values[i] - maximum);
    double sum = 0;
    for (const Real lane : lanes) sum += static_cast<double>(lane);
    return sum;
  }

  const Real* logits_;
  std::size_t size_;
  std::vector<Real> maxima_;
};

/// Calls f(row number, Row, log sum exp of the row) for every row, on all threads.
template <class Real, class F>
void for_each_row_of(const Tensor& logits, const F& f) {
  const std::int64_t rows = logits.size(0);
  const auto vocab_size = static_cast<std::size_t>(logits.size(1));
  const Real* data = logits.span<Real>().data();
  std::int64_t broken = 0;
#pragma omp parallel for schedule(static) reduction(+ : broken)
  for (std::int64_t r = 0; r < rows; ++r) {
    const Row<Real> row(data + static_cast<std::size_t>(r) * vocab_size, vocab_size);
    const double log_sum_exp = row.log_sum_exp();
    if (std::isfinite(log_sum_exp)) {
      f(static_cast<std::size_t>(r), row, log_sum_exp);
    } else {
      ++broken;
    }
  }
  if (broken > 0) fail_numerics(fmt::format("decoding: the logits of {} of {} hypotheses are not finite", broken, rows));
}

template <class F>
void for_each_row(const Tensor& logits, const F& f) {
  if (logits.dtype == DType::kFloat64) return for_each_row_of<double>(logits, f);
  for_each_row_of<float>(logits, f);
}

}  // namespace

bool TokenRules::allow(std::int32_t token, const NextRule& row) const {
  if (token == special.eos) return row.end != End::kForbidden;
  if (row.end == End::kForced || token == special.bos || (token == special.unk && !unk)) return false;
  return !std::ranges::binary_search(row.forbidden, token);
}

std::vector<NextToken> most_probable_tokens(const Tensor& logits, std::span<const NextRule> rows, std::int64_t count,
                                            const TokenRules& rules) {
  const auto width = static_cast<std::size_t>(std::min(count, logits.size(1)));
  std::vector<NextToken> found(rows.size() * static_cast<std::size_t>(count));
  for_each_row(logits, [&](std::size_t r, const auto& row, double log_sum_exp) {
    const auto best = std::span(found).subspan(r * static_cast<std::size_t>(count), width);
    const std::int32_t eos = rules.special.eos;
    if (rows[r].end != End::kForced) row.select(best, log_sum_exp, [&](std::int32_t token) { return rules.allow(token, rows[r]); });
    if (best[0].token < 0) best[0] = {eos, row.logit(eos) - log_sum_exp};
  });
  return found;
}

std::vector<double> log_probs_of(const Tensor& logits, std::span<const std::int32_t> tokens) {
  std::vector<double> found(tokens.size());
  for_each_row(logits, [&](std::size_t r, const auto& row, double log_sum_exp) { found[r] = row.logit(tokens[r]) - log_sum_exp; });
  return found;
}

}  // namespace weft
