#include <algorithm>
#include <cmath>
#include <vector>

#include "layers/attention/dot_product_attention.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {
namespace {

template <class T>
std::vector<T> on_host(Context& ctx, const Tensor& tensor) {
  std::vector<T> host(static_cast<std::size_t>(tensor.elements()));
  ctx.device.copy(ctx.stream, Tensor(host.data(), tensor.shape, tensor.dtype), tensor);
  ctx.stream.synchronize();
  return host;
}

/// (T, C), rows may be strided, as doubles.
std::vector<double> doubles_on_host(Context& ctx, const Tensor& x) {
  const Tensor wide = ctx.memory.scratch("attention weights", x.shape, DType::kFloat64);
  kernels::convert(ctx, {.x = x, .y = wide});
  if (!ctx.device.computes()) return {};
  return on_host<double>(ctx, wide);
}

/// Adds softmax(scores) / heads to `row`.
void add_softmax(std::span<const double> scores, double heads, std::span<float> row) {
  const double largest = *std::ranges::max_element(scores);
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - largest);
  for (std::size_t j = 0; j < scores.size(); ++j) row[j] += static_cast<float>(std::exp(scores[j] - largest) / sum / heads);
}

}  // namespace

void DotProductAttention::weights(Context& ctx, const Saved& saved, Tensor weights) const {
  const StepArena::Scope scope(ctx.memory);
  const std::vector<double> q = doubles_on_host(ctx, saved.q), k = doubles_on_host(ctx, saved.keys.k);
  if (!ctx.device.computes()) return tensor_parallel_.leave(ctx, weights);
  const auto query_begin = on_host<std::int32_t>(ctx, saved.rows.begin), query_length = on_host<std::int32_t>(ctx, saved.rows.length);
  const auto key_begin = on_host<std::int32_t>(ctx, saved.keys.rows.begin), key_length = on_host<std::int32_t>(ctx, saved.keys.rows.length);
  const auto heads = static_cast<std::size_t>(num_heads_), dim = static_cast<std::size_t>(head_dim_);
  const auto kv_heads = static_cast<std::size_t>(num_kv_heads_), group = heads / kv_heads;
  const auto width = static_cast<std::size_t>(weights.size(1));
  const double scale = 1 / std::sqrt(static_cast<double>(dim));
  std::vector<float> found(static_cast<std::size_t>(weights.elements()), 0);
  std::vector<double> scores;
  for (std::size_t b = 0; b < query_begin.size(); ++b) {
    const auto keys = static_cast<std::size_t>(key_length[b]), first_key = static_cast<std::size_t>(key_begin[b]);
    scores.resize(keys);
    for (std::int32_t i = 0; i < query_length[b]; ++i) {
      const auto row = static_cast<std::size_t>(query_begin[b] + i);
      for (std::size_t h = 0; h < heads; ++h) {
        for (std::size_t j = 0; j < keys; ++j) {
          const double* query = &q[(row * heads + h) * dim];
          const double* key = &k[((first_key + j) * kv_heads + h / group) * dim];
          double sum = 0;
          for (std::size_t d = 0; d < dim; ++d) sum += query[d] * key[d];
          scores[j] = scale * sum;
        }
        add_softmax(scores, static_cast<double>(num_heads_ * tensor_parallel_.size()), std::span(found).subspan(row * width, keys));
      }
    }
  }
  ctx.device.copy(ctx.stream, weights, Tensor(found.data(), weights.shape, weights.dtype));
  ctx.stream.synchronize();
  tensor_parallel_.leave(ctx, weights);
}

}  // namespace weft
