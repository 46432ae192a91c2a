#include "inference/metrics/shifts.h"

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "inference/metrics/edit_distance.h"

namespace weft {
namespace {

constexpr std::int64_t kMaxShiftSize = 10;
constexpr std::int64_t kMaxShiftDistance = 50;
constexpr std::int64_t kMaxTrials = 1000;  // of one sentence

/// Where each word of the reference stands in the hypothesis (-1: before its first word), and which words of both are not kept as they are.
struct EditAlignment {
  std::vector<std::int64_t> position;
  std::vector<bool> reference_wrong, hypothesis_wrong;
};

EditAlignment align(const std::vector<Edit>& edits) {
  EditAlignment alignment;
  std::int64_t at = -1;
  for (const Edit edit : edits) {
    if (edit != Edit::kInsert) {
      ++at;
      alignment.hypothesis_wrong.push_back(edit != Edit::kKeep);
    }
    if (edit != Edit::kDelete) {
      alignment.position.push_back(at);
      alignment.reference_wrong.push_back(edit != Edit::kKeep);
    }
  }
  return alignment;
}

/// `length` words from `start` of the hypothesis stand in the reference from `reference` on.
struct Run {
  std::int64_t start, reference, length;
};

std::u32string shifted(std::u32string_view words, const Run& run, std::int64_t target) {
  const auto start = static_cast<std::size_t>(run.start), length = static_cast<std::size_t>(run.length),
             to = static_cast<std::size_t>(target);
  std::u32string rest(words);
  rest.erase(start, length);
  // A target inside the run or after it: Tercom counts the words after the run for the one, and from the beginning for the other.
  const std::size_t place = to < start ? to : to > start + length ? to - length : std::min(to, rest.size());
  return rest.insert(place, words.substr(start, length));
}

/// One greedy step: tries every shift of a run that is wrong where it stands to where the reference has it and the hypothesis does not.
class ShiftSearch {
 public:
  ShiftSearch(EditDistance& distance, std::u32string_view words, std::u32string_view reference)
      : distance_(distance), words_(words), reference_(reference), path_(distance.path(words)), alignment_(align(path_.edits)) {}

  /// Counts its trials in `trials` and ends early at the limit. False: there was nothing to try.
  bool run(std::int64_t& trials);
  std::int64_t gain() const { return std::get<0>(rank_); }
  const std::u32string& words() const { return best_; }

 private:
  bool worth_trying(const Run&) const;
  void try_targets(const Run&, std::int64_t& trials);

  EditDistance& distance_;
  std::u32string_view words_, reference_;
  EditPath path_;
  EditAlignment alignment_;
  std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t> rank_{};  // gain, then longest run, first start, first target
  std::u32string best_;
};

bool ShiftSearch::worth_trying(const Run& run) const {
  const auto any = [&](const std::vector<bool>& wrong, std::int64_t start) {
    return std::find(wrong.begin() + start, wrong.begin() + start + run.length, true) != wrong.begin() + start + run.length;
  };
  const std::int64_t aligned = alignment_.position[static_cast<std::size_t>(run.reference)];
  const bool within_itself = run.start <= aligned && aligned < run.start + run.length;
  return any(alignment_.hypothesis_wrong, run.start) && any(alignment_.reference_wrong, run.reference) && !within_itself;
}

void ShiftSearch::try_targets(const Run& run, std::int64_t& trials) {
  std::int64_t previous = -1;
  for (std::int64_t offset = -1; offset < run.length; ++offset) {
    const std::int64_t word = run.reference + offset;  // the target follows this word of the reference
    const std::int64_t target = word < 0 ? 0 : alignment_.position[static_cast<std::size_t>(word)] + 1;
    if (target == previous) continue;
    previous = target;
    std::u32string words = shifted(words_, run, target);
    const std::tuple rank(path_.cost - distance_.cost(words), run.length, -run.start, -target);
    ++trials;
    if (!best_.empty() && rank <= rank_) continue;
    rank_ = rank;
    best_ = std::move(words);
  }
}

bool ShiftSearch::run(std::int64_t& trials) {
  const auto words = static_cast<std::int64_t>(words_.size()), length = static_cast<std::int64_t>(reference_.size());
  for (std::int64_t start = 0; start < words; ++start) {
    const std::int64_t first = std::max<std::int64_t>(0, start - kMaxShiftDistance), last = std::min(length - 1, start + kMaxShiftDistance);
    for (std::int64_t reference = first; reference <= last; ++reference) {
      const std::int64_t longest = std::min({kMaxShiftSize, words - start, length - reference});
      for (std::int64_t n = 0; n < longest; ++n) {
        if (words_[static_cast<std::size_t>(start + n)] != reference_[static_cast<std::size_t>(reference + n)]) break;
        const Run run{.start = start, .reference = reference, .length = n + 1};
        if (!worth_trying(run)) continue;
        try_targets(run, trials);
        if (trials >= kMaxTrials) return true;
      }
    }
  }
  return !best_.empty();
}

}  // namespace

std::int64_t edits_with_shifts(std::u32string_view hypothesis, std::u32string_view reference) {
  if (reference.empty()) return static_cast<std::int64_t>(hypothesis.size());
  EditDistance distance(reference);
  std::u32string words(hypothesis);
  std::int64_t shifts = 0, trials = 0;
  for (;;) {
    ShiftSearch search(distance, words, reference);
    if (!search.run(trials) || trials >= kMaxTrials || search.gain() <= 0) break;
    words = search.words();
    ++shifts;
  }
  return shifts + distance.cost(words);
}

}  // namespace weft
