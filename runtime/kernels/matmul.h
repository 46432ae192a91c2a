#pragma once
#include <cstdint>

#include "runtime/context.h"
#include "runtime/kernels/activation.h"
#include "runtime/tensor.h"

namespace weft::kernels {

/// y = activation(op(a) op(b) + bias), or y += op(a) op(b) with `accumulate`. op transposes when asked to. Rows may be strided. Products
/// are summed in the sum type. A linear layer: forward a = x, b = W, transpose_b; input gradient a = dy, b = W; weight gradient a = dy, b =
/// x, transpose_a, accumulate. K may be 0: the product is then 0.
struct Matmul {
  Tensor a;  // (M, K); (K, M) with transpose_a
  Tensor b;  // (K, N); (N, K) with transpose_b; dtype of a
  bool transpose_a = false;
  bool transpose_b = false;
  Tensor bias;                                // (N), dtype of a; or absent. Not with accumulate
  Activation activation = Activation::kNone;  // not with accumulate
  Tensor pre_activation;                      // (M, N), dtype of y: op(a) op(b) + bias is written here too; or absent
  bool accumulate = false;
  Tensor packed_b;   // what pack_matmul made of b: b itself is not read then; or absent
  Tensor y;          // (M, N), dtype of a or its sum type; overwritten, or added to; neither a nor b
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void matmul(Context&, Matmul);

/// The form of b that the device multiplies with fastest, for a b that stays as it is over many products, such as a weight in decoding.
struct PackMatmul {
  Tensor b;  // as in Matmul
  bool transpose_b = false;
  Tensor packed;  // (packed_matmul_bytes) uint8, overwritten
};
/// 0: the device has no such form, and none must be given.
std::int64_t packed_matmul_bytes(const Device&, const Tensor& b, bool transpose_b);
void pack_matmul(Context&, const PackMatmul&);

}  // namespace weft::kernels
