#pragma once
#include <string>
#include <vector>

#include "layers/parameter.h"
#include "tests/support/golden.h"
#include "tests/support/gradient_check.h"
#include "tests/support/test_context.h"

namespace weft::test {

/// What this rank holds of a tensor, row by row, out of all of it.
std::vector<double> elements_in(const std::vector<double>& whole, const Part&);

/// Values and zeroed gradients of a laid out set, in memory of the test. Values start as `Init` says; vectors (biases, norms) then get
/// random numbers around that, so that no gradient hides behind a zero or a one. Ranks that cut a tensor get their pieces of one tensor.
class BoundParameters {
 public:
  BoundParameters(TestContext&, ParameterSet&, DType);

  /// Values of every part from the tensor of its name without `prefix` ("layer.weight" -> "weight").
  void load(const GoldenFile&, const std::string& prefix = "", Rounding = Rounding::kNone);
  void zero_gradients();
  /// Value or gradient of one part, by its name.
  std::vector<double> value(const std::string& part) const { return elements(part, false); }
  std::vector<double> gradient(const std::string& part) const { return elements(part, true); }
  /// All trained parameters, for the numerical check (float64 only).
  std::vector<Differentiated> differentiated() const;
  std::vector<std::string> trained_parts() const;
  /// The worst error of the gradients against those of `whole`, of which this rank holds pieces. An error is relative to the largest
  /// element of its tensor, or to a hundredth of the largest of all: the gradient of k_proj.bias is zero but for rounding.
  struct Worst {
    double error = 0;
    std::string part;
  };
  Worst worst_gradient(const BoundParameters& whole) const;
  Tensor flat_values() const { return values_; }  // (total_elements)
  Tensor flat_gradients() const { return gradients_; }

 private:
  std::vector<double> elements(const std::string& part, bool gradient) const;

  TestContext& ctx_;
  ParameterSet& set_;
  Tensor values_, gradients_;
};

/// A kernel table and the dtype a layer or model runs in on it, with the tolerance of layers (tests/golden/README.md).
struct Precision {
  std::string name;  // reference_double, ...
  const KernelTable* table;
  DType dtype;
  double tolerance;
};
/// The reference table, and the fast ones of every instruction set that this processor has.
std::vector<Precision> all_precisions();
void PrintTo(const Precision&, std::ostream*);

}  // namespace weft::test
