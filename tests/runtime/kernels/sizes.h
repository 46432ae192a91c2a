#pragma once
#include <cstdint>

#include "runtime/dtype.h"

namespace weft::test {

struct RowsColumns {
  std::int64_t rows, columns;
};
inline constexpr RowsColumns kOddSizes[] = {{1, 1}, {1, 7}, {3, 1}, {5, 16}, {7, 33}};

/// 4-point differences in double are right to about 1e-11 here; a mistake that matters is above 1e-5.
inline constexpr double kGradientTolerance = 1e-8;

}  // namespace weft::test
