#include "data/batch_sampler.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "data/permutation.h"
#include "runtime/error.h"

namespace weft {
namespace {

std::int64_t window_count(std::int64_t sentences, const SamplerConfig& config) {
  return (sentences + config.bucket_size - 1) / config.bucket_size;
}

/// The first sentence of a window; for the window after the last, the number of sentences.
std::int64_t window_begin(std::int64_t sentences, std::int64_t window, const SamplerConfig& config) {
  if (!config.equal_windows) return std::min(window * config.bucket_size, sentences);
  const std::int64_t windows = window_count(sentences, config);
  return sentences / windows * window + std::min(window, sentences % windows);
}

bool are_same_windows(std::int64_t sentences, const SamplerConfig& a, const SamplerConfig& b) {
  const bool cut_alike = a.equal_windows == b.equal_windows || sentences <= a.bucket_size || sentences % a.bucket_size == 0;
  return a.seed == b.seed && a.bucket_size == b.bucket_size && a.shuffle == b.shuffle && cut_alike;
}

}  // namespace

BatchSampler::BatchSampler(const Dataset& data, const SamplerConfig& config) : BatchSampler(data, config, config, {}) {}

BatchSampler::BatchSampler(const Dataset& data, const SamplerConfig& config, const SamplerConfig& before, const Position& position)
    : data_(&data), config_(config), before_(before), from_(position), same_windows_(are_same_windows(data.size(), config, before)) {
  if (config.batch_size < 1 || config.bucket_size < 1) {
    fail_input(fmt::format("training.batch_size {} and data.bucket_size {} must be at least 1", config.batch_size, config.bucket_size));
  }
}

const SamplerConfig& BatchSampler::config_at(const Position& position) const {
  const bool has_begun = from_.window > 0 || from_.batch > 0;  // an epoch; with the same windows: this one
  if (same_windows_) return from_.batch > 0 && position.epoch == from_.epoch && position.window == from_.window ? before_ : config_;
  return has_begun && position.epoch == from_.epoch ? before_ : config_;
}

Update BatchSampler::update(const Position& position) {
  const SamplerConfig& config = config_at(position);
  const std::int64_t windows = window_count(data_->size(), config);
  if (position.epoch < 0 || position.window < 0 || position.window >= windows) {
    fail(fmt::format("the data of {} have {} windows, no epoch {} window {}", data_->folder(), windows, position.epoch, position.window));
  }
  load(position.epoch, position.window, config);
  const auto batches = static_cast<std::int64_t>(window_.batch_order.size());
  if (position.batch < 0 || position.batch >= batches) {
    fail(fmt::format("window {} of {} has {} batches, no batch {}", position.window, data_->folder(), batches, position.batch));
  }
  const auto batch = static_cast<std::size_t>(window_.batch_order[static_cast<std::size_t>(position.batch)]);
  Update update;
  for (std::int64_t i = window_.begin[batch]; i < window_.begin[batch + 1]; ++i) {
    const std::int64_t index = window_.order[static_cast<std::size_t>(i)];
    const Lengths lengths = data_->lengths(index);
    update.samples.push_back({.index = index, .number = i - window_.begin[batch], .lengths = lengths});
    update.loss_tokens += lengths.target;
    update.source_tokens += lengths.source;
  }
  update.next = {position.epoch, position.window, position.batch + 1, position.samples + static_cast<std::int64_t>(update.samples.size())};
  if (update.next.batch == batches) update.next = {position.epoch, position.window + 1, 0, update.next.samples};
  if (update.next.window == windows) update.next = {position.epoch + 1, 0, 0, 0};
  return update;
}

void BatchSampler::load(std::int64_t epoch, std::int64_t window, const SamplerConfig& config) {
  if (window_.epoch == epoch && window_.number == window) return;
  window_.epoch = epoch;
  window_.number = window;
  order_window(window_begin(data_->size(), window, config), window_begin(data_->size(), window + 1, config), config);
  cut_window(config);
}

void BatchSampler::order_window(std::int64_t begin, std::int64_t end, const SamplerConfig& config) {
  window_.order.resize(static_cast<std::size_t>(end - begin));
  std::iota(window_.order.begin(), window_.order.end(), begin);
  if (!config.shuffle) return;
  const Permutation epoch(data_->size(), random_key(config.seed, fmt::format("data.epoch.{}", window_.epoch)));
  for (std::int64_t& index : window_.order) index = epoch[index];
  // Equal lengths keep the order of the permutation.
  std::stable_sort(window_.order.begin(), window_.order.end(), [&](std::int64_t a, std::int64_t b) {
    const Lengths x = data_->lengths(a), y = data_->lengths(b);
    return std::tuple(x.longer(), x.target, x.source) < std::tuple(y.longer(), y.target, y.source);
  });
}

void BatchSampler::cut_window(const SamplerConfig& config) {
  window_.begin = {0};
  std::int64_t used = 0;
  for (std::size_t i = 0; i < window_.order.size(); ++i) {
    const std::int64_t cost = config.batch_type == BatchType::kTokens ? data_->lengths(window_.order[i]).longer() : 1;
    if (used > 0 && used + cost > config.batch_size) {
      window_.begin.push_back(static_cast<std::int64_t>(i));
      used = 0;
    }
    used += cost;
  }
  const auto batches = static_cast<std::int64_t>(window_.begin.size());
  window_.begin.push_back(static_cast<std::int64_t>(window_.order.size()));
  window_.batch_order.resize(static_cast<std::size_t>(batches));
  std::iota(window_.batch_order.begin(), window_.batch_order.end(), std::int64_t{0});
  if (!config.shuffle) return;
  const Permutation shuffled(batches, random_key(config.seed, fmt::format("data.batches.{}.{}", window_.epoch, window_.number)));
  for (std::int64_t& batch : window_.batch_order) batch = shuffled[batch];
}

}  // namespace weft
