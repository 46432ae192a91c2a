#pragma once
#include <map>
#include <string>
#include <vector>

#include "tests/layers/bound_parameters.h"
#include "tests/support/golden.h"

namespace weft::test {

/// What a layer makes of the inputs of a golden file, under the names of that file: output.y, output.dx, grad.weight, ...
using LayerResults = std::map<std::string, std::vector<double>>;
LayerResults run_golden_layer(const GoldenFile&, const std::string& layer, const KernelTable&, DType, Rounding);

/// The layers that have a golden file.
std::vector<std::string> golden_layers();

}  // namespace weft::test
