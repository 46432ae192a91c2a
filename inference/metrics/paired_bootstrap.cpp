#include "inference/metrics/paired_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/error.h"
#include "runtime/random.h"

namespace weft {
namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

ResampledScore summary(double score, std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const std::size_t tail = samples.size() / 40;  // 2.5 % at each end
  return {.score = score, .mean = mean(samples), .interval = 0.5 * (samples[samples.size() - 1 - tail] - samples[tail])};
}

void add(Statistics& total, const Statistics& sentence) {
  for (std::size_t i = 0; i < total.size(); ++i) total[i] += sentence[i];
}

}  // namespace

PairedBootstrap paired_bootstrap(const Metric& metric, std::span<const Statistics> first, std::span<const Statistics> second,
                                 const BootstrapOptions& options) {
  if (first.size() != second.size() || first.empty() || options.samples < 1) fail("paired bootstrap of unequal or no sentences");
  const RandomKey key = random_key(options.seed, "paired_bootstrap");
  const std::uint64_t sentences = first.size();
  std::vector<double> scores1, scores2, differences;
  for (std::uint64_t sample = 0; sample < static_cast<std::uint64_t>(options.samples); ++sample) {
    Statistics sum1(first[0].size()), sum2(second[0].size());
    for (std::uint64_t i = 0; i < sentences; ++i) {
      const auto drawn = static_cast<std::size_t>(random_below(key, sample * sentences + i, sentences));
      add(sum1, first[drawn]);
      add(sum2, second[drawn]);
    }
    scores1.push_back(metric.score(sum1));
    scores2.push_back(metric.score(sum2));
    differences.push_back(std::abs(scores1.back() - scores2.back()));
  }
  const double score1 = metric.score(sum(first)), score2 = metric.score(sum(second));
  const double bound = std::abs(score1 - score2) + mean(differences);
  const auto beyond = std::count_if(differences.begin(), differences.end(), [&](double difference) { return difference >= bound; });
  return {.first = summary(score1, std::move(scores1)),
          .second = summary(score2, std::move(scores2)),
          .p_value = static_cast<double>(beyond + 1) / static_cast<double>(options.samples + 1)};
}

}  // namespace weft
