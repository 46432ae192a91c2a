#include "inference/metrics/edit_distance.h"

#include <algorithm>
#include <cmath>

#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::int64_t kBeamWidth = 25;
constexpr std::int64_t kUnreached = std::int64_t{1} << 50;

/// Wider where one step down a row moves the diagonal by more than the band.
std::int64_t band(double slope) {
  return static_cast<double>(kBeamWidth) < slope / 2 ? static_cast<std::int64_t>(std::ceil(slope / 2 + static_cast<double>(kBeamWidth)))
                                                     : kBeamWidth;
}

}  // namespace

EditDistance::EditDistance(std::u32string_view reference) : reference_(reference) {
  Row first;
  for (std::size_t j = 0; j <= reference_.size(); ++j)
    first.push_back({static_cast<std::int64_t>(j), j == 0 ? Edit::kNone : Edit::kInsert});
  rows_.push_back(std::move(first));
}

void EditDistance::fill_row(std::u32string_view hypothesis, std::size_t i) {
  const double slope = static_cast<double>(reference_.size()) / static_cast<double>(hypothesis.size());
  const auto diagonal = static_cast<std::int64_t>(std::floor(static_cast<double>(i) * slope));
  const std::int64_t columns = static_cast<std::int64_t>(reference_.size()) + 1;
  const auto begin = static_cast<std::size_t>(std::max<std::int64_t>(0, diagonal - band(slope)));
  const auto end = static_cast<std::size_t>(i == hypothesis.size() ? columns : std::min(columns, diagonal + band(slope)));
  Row& row = rows_[i];
  const Row& above = rows_[i - 1];
  row.assign(reference_.size() + 1, {kUnreached, Edit::kNone});
  for (std::size_t j = begin; j < end; ++j) {
    if (j == 0) {
      row[0] = {above[0].cost + 1, Edit::kDelete};
      continue;
    }
    const bool same = hypothesis[i - 1] == reference_[j - 1];
    const Cell options[] = {{above[j - 1].cost + (same ? 0 : 1), same ? Edit::kKeep : Edit::kSubstitute},
                            {above[j].cost + 1, Edit::kDelete},
                            {row[j - 1].cost + 1, Edit::kInsert}};
    for (const Cell& option : options) {
      if (option.cost < row[j].cost) row[j] = option;
    }
  }
}

void EditDistance::fill(std::u32string_view hypothesis) {
  std::size_t same = 0;
  if (hypothesis.size() == hypothesis_.size()) {
    while (same < hypothesis.size() && hypothesis[same] == hypothesis_[same]) ++same;
  }
  rows_.resize(hypothesis.size() + 1);
  for (std::size_t i = same + 1; i <= hypothesis.size(); ++i) fill_row(hypothesis, i);
  hypothesis_ = hypothesis;
}

std::int64_t EditDistance::cost(std::u32string_view hypothesis) {
  fill(hypothesis);
  return rows_.back().back().cost;
}

EditPath EditDistance::path(std::u32string_view hypothesis) {
  EditPath path{.cost = cost(hypothesis), .edits = {}};
  for (std::size_t i = hypothesis.size(), j = reference_.size(); i > 0 || j > 0;) {
    const Edit edit = rows_[i][j].edit;
    if (edit == Edit::kNone) fail("the edit distance leaves its band");
    path.edits.push_back(edit);
    if (edit != Edit::kInsert) --i;
    if (edit != Edit::kDelete) --j;
  }
  std::reverse(path.edits.begin(), path.edits.end());
  return path;
}

}  // namespace weft
