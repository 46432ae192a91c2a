#include "data/batch_share.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

/// The work of a row grows by one part in kRowCost for each row it attends to: a layer of width 512 does about 24 x 512^2 multiplications a
/// row in its matrices and 4 x 512 a pair in attention. Other widths shift the balance by little.
constexpr std::int64_t kRowCost = 3072;

std::int64_t cost(const Lengths& l) {
  const std::int64_t s = l.source, t = l.target;
  return kRowCost * (s + t) + s * s + t * t / 2 + s * t;
}

struct Load {
  std::int64_t cost = 0, source = 0, target = 0;
};

void require_fitting(const Sample& sample, std::int64_t rows) {
  if (sample.lengths.longer() <= rows) return;
  fail_input(fmt::format("training.micro_batch_size: {} tokens; sentence pair {} of the prepared data has {} source and {} target tokens",
                         rows, sample.index, sample.lengths.source, sample.lengths.target));
}

/// The part of each sample, or nothing when some sample finds no room.
std::vector<std::size_t> deal(const Update& update, const std::vector<std::size_t>& heaviest_first, std::size_t parts, std::int64_t rows) {
  std::vector<Load> loads(parts);
  std::vector<std::size_t> part_of(update.samples.size());
  for (const std::size_t i : heaviest_first) {
    const Lengths& l = update.samples[i].lengths;
    std::size_t best = parts;
    for (std::size_t p = 0; p < parts; ++p) {
      const bool fits = loads[p].source + l.source <= rows && loads[p].target + l.target <= rows;
      if (fits && (best == parts || loads[p].cost < loads[best].cost)) best = p;
    }
    if (best == parts) return {};
    loads[best].cost += cost(l);
    loads[best].source += l.source;
    loads[best].target += l.target;
    part_of[i] = best;
  }
  return part_of;
}

}  // namespace

std::vector<BatchPart> share(const Update& update, int dp_rank, int dp, std::int64_t micro_batch_rows) {
  if (dp < 1 || dp_rank < 0 || dp_rank >= dp || micro_batch_rows < 1 || update.samples.empty()) {
    fail(fmt::format("share: rank {} of {}, {} rows, {} samples", dp_rank, dp, micro_batch_rows, update.samples.size()));
  }
  for (const Sample& sample : update.samples) require_fitting(sample, micro_batch_rows);
  std::vector<std::size_t> heaviest_first(update.samples.size());
  std::iota(heaviest_first.begin(), heaviest_first.end(), std::size_t{0});
  std::stable_sort(heaviest_first.begin(), heaviest_first.end(),
                   [&](std::size_t a, std::size_t b) { return cost(update.samples[a].lengths) > cost(update.samples[b].lengths); });
  const std::int64_t room = dp * micro_batch_rows;
  std::int64_t passes = (std::max(update.source_tokens, update.loss_tokens) + room - 1) / room;
  std::vector<std::size_t> part_of;
  while ((part_of = deal(update, heaviest_first, static_cast<std::size_t>(passes * dp), micro_batch_rows)).empty()) ++passes;
  std::vector<BatchPart> mine(static_cast<std::size_t>(passes));
  for (std::size_t i = 0; i < part_of.size(); ++i) {
    const std::size_t rank = part_of[i] % static_cast<std::size_t>(dp), pass = part_of[i] / static_cast<std::size_t>(dp);
    if (rank == static_cast<std::size_t>(dp_rank)) mine[pass].push_back(update.samples[i]);
  }
  return mine;
}

std::vector<BatchPart> parts_in_length_order(const Dataset& data, std::int64_t micro_batch_rows) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(data.size()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const Lengths x = data.lengths(a), y = data.lengths(b);
    return std::tuple(x.longer(), x.target, x.source) < std::tuple(y.longer(), y.target, y.source);
  });
  std::vector<BatchPart> parts;
  Load load;
  for (const std::int64_t index : order) {
    Sample sample{.index = index, .number = 0, .lengths = data.lengths(index)};
    require_fitting(sample, micro_batch_rows);
    const Lengths& l = sample.lengths;
    if (parts.empty() || load.source + l.source > micro_batch_rows || load.target + l.target > micro_batch_rows) {
      parts.emplace_back();
      load = {};
    }
    load.source += l.source;
    load.target += l.target;
    sample.number = static_cast<std::int64_t>(parts.back().size());
    parts.back().push_back(sample);
  }
  return parts;
}

}  // namespace weft
