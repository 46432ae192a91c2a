#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>

#include "runtime/dtype.h"
#include "runtime/kernels/cpu/isa/isa.h"

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
  int threads;  // that a primitive is made for

  friend auto operator<=>(const Product&, const Product&) = default;
};

struct ProductData {
  const std::byte *a, *b, *bias;
  const std::byte* packed_b;  // in place of b; or null
  std::byte *y, *workspace;
};

/// Who computes products. Row i of y depends neither on how many rows there are nor on the number of threads.
struct Products {
  bool (*multiply_bf16)();  // else the caller widens to float32
  /// Bytes of workspace that suffice for any number of rows up to `rows`, with b as it is.
  std::int64_t (*workspace)(const Product&, std::int64_t rows);
  void (*run)(const Product&, std::int64_t rows, const ProductData&);
  std::int64_t (*packed_bytes)(std::int64_t n, std::int64_t k);  // of a packed b (Isa::pack_gemm); 0: takes none
};

/// oneDNN's, where that holds: with AVX-512.
extern const Products library_products;

/// Our own, in float32, with AVX2.
extern const Products own_products;

}  // namespace weft::cpu
