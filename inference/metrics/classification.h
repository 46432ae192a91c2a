#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace weft {

/// How well labels are predicted, from the counts of every pair (gold, predicted). 0 / 0 counts as 0. Figures as scikit-learn's.
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::int64_t classes);
  ConfusionMatrix(std::int64_t classes, std::span<const std::int32_t> gold, std::span<const std::int32_t> predicted);

  /// Fails on a label outside 0 .. classes - 1.
  void add(std::int32_t gold, std::int32_t predicted);

  std::int64_t classes() const { return classes_; }
  std::int64_t count(std::int64_t gold, std::int64_t predicted) const;
  std::int64_t support(std::int64_t label) const;    // examples of the class
  std::int64_t predicted(std::int64_t label) const;  // predictions of the class

  double precision(std::int64_t label) const;
  double recall(std::int64_t label) const;
  double f1(std::int64_t label) const;

  double accuracy() const;
  double macro_f1() const;  // mean over the classes that occur, in gold or predictions
  /// Gorodkin, 2004: (n c - sum_k p_k t_k) / sqrt((n^2 - sum p_k^2) (n^2 - sum t_k^2)), n examples, c right; 0 where it is undefined.
  double matthews() const;

 private:
  std::int64_t classes_;
  std::vector<std::int64_t> counts_;  // (gold, predicted)
};

}  // namespace weft
