#pragma once
#include <span>
#include <string>

#include "training/layout_run.h"

namespace weft {

/// The limits of one update from equal weights: docs/layouts.md.
struct LayoutTolerance {
  double loss = 1e-5;      // relative
  double gradient = 1e-5;  // of a tensor, to its norm; and of the gradient norm
};
LayoutTolerance layout_tolerance(DType);

/// How far the first update of a layout is from that of one rank.
struct LayoutDifference {
  double loss = 0, grad_norm = 0;  // relative
  /// The tensor whose gradient differs most: the norm of the difference, to that of the tensor's gradient. A gradient that is zero but for
  /// rounding (k_proj.bias) is judged by the size of the others: to at least a thousandth of the largest norm.
  std::string tensor;
  double gradient = 0;

  bool within(const LayoutTolerance&) const;
};

/// `ranks`: of every rank of the layout; `whole`: of one rank, alone. NaN differs from everything.
LayoutDifference difference(std::span<const LayoutRun> ranks, const LayoutRun& whole);

}  // namespace weft
