#include "inference/metrics/classification.h"

#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(std::int64_t classes) : classes_(classes), counts_(static_cast<std::size_t>(classes * classes)) {}

ConfusionMatrix::ConfusionMatrix(std::int64_t classes, std::span<const std::int32_t> gold, std::span<const std::int32_t> predicted)
    : ConfusionMatrix(classes) {
  if (gold.size() != predicted.size()) fail(fmt::format("{} labels, {} predictions", gold.size(), predicted.size()));
  for (std::size_t i = 0; i < gold.size(); ++i) add(gold[i], predicted[i]);
}

void ConfusionMatrix::add(std::int32_t gold, std::int32_t predicted) {
  for (const std::int32_t label : {gold, predicted}) {
    if (label < 0 || label >= classes_) fail(fmt::format("label {} of {} classes", label, classes_));
  }
  ++counts_[static_cast<std::size_t>(gold * classes_ + predicted)];
}

std::int64_t ConfusionMatrix::count(std::int64_t gold, std::int64_t predicted) const {
  return counts_.at(static_cast<std::size_t>(gold * classes_ + predicted));
}

std::int64_t ConfusionMatrix::support(std::int64_t label) const {
  std::int64_t sum = 0;
  for (std::int64_t other = 0; other < classes_; ++other) sum += count(label, other);
  return sum;
}

std::int64_t ConfusionMatrix::predicted(std::int64_t label) const {
  std::int64_t sum = 0;
  for (std::int64_t other = 0; other < classes_; ++other) sum += count(other, label);
  return sum;
}

double ConfusionMatrix::precision(std::int64_t label) const {
  return ratio(count(label, label), predicted(label));
}

double ConfusionMatrix::recall(std::int64_t label) const {
  return ratio(count(label, label), support(label));
}

double ConfusionMatrix::f1(std::int64_t label) const {
  return ratio(2 * count(label, label), support(label) + predicted(label));
}

double ConfusionMatrix::accuracy() const {
  std::int64_t right = 0;
  for (std::int64_t label = 0; label < classes_; ++label) right += count(label, label);
  return ratio(right, std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}));
}

double ConfusionMatrix::macro_f1() const {
  double sum = 0;
  int occurring = 0;
  for (std::int64_t label = 0; label < classes_; ++label) {
    if (support(label) + predicted(label) == 0) continue;
    sum += f1(label);
    ++occurring;
  }
  return occurring == 0 ? 0.0 : sum / occurring;
}

double ConfusionMatrix::matthews() const {
  double n = 0, right = 0, both = 0, predictions = 0, supports = 0;
  for (std::int64_t label = 0; label < classes_; ++label) {
    const auto t = static_cast<double>(support(label)), p = static_cast<double>(predicted(label));
    n += t;
    right += static_cast<double>(count(label, label));
    both += p * t;
    predictions += p * p;
    supports += t * t;
  }
  const double square = (n * n - predictions) * (n * n - supports);
  return square == 0 ? 0.0 : (n * right - both) / std::sqrt(square);
}

}  // namespace weft
