#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>

#include "runtime/dtype.h"

namespace weft::cpu {

/// A matrix product but for its rows, the extent that varies from batch to batch: M of a forward or input gradient, K of a weight gradient
/// (`rows_are_inner`). y (M, N) = [relu](op(a) op(b) + bias), or y += op(a) op(b). Strides in elements, from row to row as stored.
struct Product {
  std::int64_t m, k, n;  // the one that varies is 0
  bool rows_are_inner;
  bool transpose_a, transpose_b;
  bool bias, relu, accumulate;
  DType input, output;
  std::int64_t a_stride, b_stride, y_stride;
  int threads;  // a primitive is made for so many

  friend auto operator<=>(const Product&, const Product&) = default;
};

struct ProductData {
  const std::byte *a, *b, *bias;
  std::byte *y, *workspace;
};

/// Bytes of workspace that suffice for any number of rows up to `rows`.
std::int64_t product_workspace(const Product&, std::int64_t rows);

/// Computes the product over `rows` rows, in pieces of few sizes: a library primitive costs 300 to 800 microseconds to make, and every
/// batch has another row count. With AVX-512, row i of y does not depend on how many rows there are.
void run_product(const Product&, std::int64_t rows, const ProductData&);

/// Whether the library multiplies bf16 on this processor.
bool library_multiplies_bf16();

}  // namespace weft::cpu
