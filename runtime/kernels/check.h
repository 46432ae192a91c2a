#pragma once
#include <initializer_list>
#include <string_view>

#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/tensor.h"

namespace weft::kernels {

// Every check fails with the kernel, the argument, what it is and what was expected: "matmul: bias is float32 (3), expected float32 (4)".

/// The tensor has this shape and dtype; rows may be strided.
void require(std::string_view kernel, std::string_view argument, const Tensor&, const Shape&, DType);
/// The same, and its elements lie one after the other.
void require_contiguous(std::string_view kernel, std::string_view argument, const Tensor&, const Shape&, DType);
/// The tensor has `dims` dims and one of these dtypes.
void require_dims(std::string_view kernel, std::string_view argument, const Tensor&, int dims, std::initializer_list<DType>);
/// p is in [0, 1), and the coordinates, where there are any, are those of `rows` rows.
void require_dropout(std::string_view kernel, const RowDropout&, std::int64_t rows);
/// Any other contract.
void require_that(bool holds, std::string_view kernel, std::string_view what);

inline constexpr std::initializer_list<DType> kFloating = {DType::kFloat32, DType::kBFloat16, DType::kFloat64};
inline constexpr std::initializer_list<DType> kSums = {DType::kFloat32, DType::kFloat64};

}  // namespace weft::kernels
