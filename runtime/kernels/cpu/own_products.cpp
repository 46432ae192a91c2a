#include "runtime/kernels/cpu/product.h"

namespace weft::cpu {
namespace {

const float* floats(const std::byte* data) {
  return reinterpret_cast<const float*>(data);
}
float* floats(std::byte* data) {
  return reinterpret_cast<float*>(data);
}

Gemm gemm_of(const Product& p, std::int64_t rows, const ProductData& data) {
  return {.m = p.rows_are_inner ? p.m : rows,
          .n = p.n,
          .k = p.rows_are_inner ? rows : p.k,
          .transpose_a = p.transpose_a,
          .transpose_b = p.transpose_b,
          .a = floats(data.a),
          .b = floats(data.b),
          .packed_b = floats(data.packed_b),
          .bias = floats(data.bias),
          .relu = p.relu,
          .accumulate = p.accumulate,
          .y = floats(data.y),
          .a_stride = p.a_stride,
          .b_stride = p.b_stride,
          .y_stride = p.y_stride,
          .workspace = floats(data.workspace),
          .threads = p.threads};
}

constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));

}  // namespace

const Products own_products = {
    .multiply_bf16 = [] { return false; },
    .workspace = [](const Product& p, std::int64_t rows) { return avx2::isa.gemm_floats(gemm_of(p, rows, {})) * kFloatBytes; },
    .run = [](const Product& p, std::int64_t rows, const ProductData& data) { avx2::isa.gemm(gemm_of(p, rows, data)); },
    .packed_bytes = [](std::int64_t n, std::int64_t k) { return avx2::isa.pack_gemm_floats(n, k) * kFloatBytes; }};

}  // namespace weft::cpu
