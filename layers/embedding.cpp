#include "layers/embedding.h"

#include <fmt/format.h>

#include "layers/gradient.h"
#include "runtime/error.h"
#include "runtime/kernels/embedding.h"

namespace weft {

Embedding::Embedding(const EmbeddingConfig& config, Parameter& token, Parameter* position, ParameterScope parameters,
                     TensorParallel tensor_parallel)
    : token_(&token),
      position_(position),
      scale_(config.scale),
      dropout_{parameters.site("dropout"), config.dropout},
      tensor_parallel_(tensor_parallel) {}

void Embedding::forward(Context& ctx, const Rows& rows, Tensor y, Saved& saved) const {
  if (position_ != nullptr && rows.max_length > position_->shape[0]) {
    fail(fmt::format("{}: a sequence of {} tokens, model.max_length is {}", token_->parts[0].name, rows.max_length, position_->shape[0]));
  }
  saved.rows = rows;
  kernels::embedding_forward(ctx, {.tokens = rows.tokens,
                                   .positions = rows.positions,
                                   .weight = token_->value,
                                   .piece = piece_of_vocabulary(*token_),
                                   .position_table = position_ == nullptr ? Tensor{} : position_->value,
                                   .scale = scale_,
                                   .dropout = row_dropout(rows),
                                   .y = y});
  tensor_parallel_.leave(ctx, y);
}

void Embedding::backward(Context& ctx, Tensor dy, const Saved& saved) const {
  if (!token_->grad.defined()) return;
  kernels::embedding_backward(ctx, {.dy = dy,
                                    .tokens = saved.rows.tokens,
                                    .positions = saved.rows.positions,
                                    .by_token = saved.rows.by_token,
                                    .scale = scale_,
                                    .dropout = row_dropout(saved.rows),
                                    .piece = piece_of_vocabulary(*token_),
                                    .dweight = gradient_to_add(ctx, *token_),
                                    .dposition = position_ == nullptr ? Tensor{} : gradient_to_add(ctx, *position_)});
}

RowDropout Embedding::row_dropout(const Rows& rows) const {
  return {.site = dropout_, .sample = rows.sample, .positions = rows.positions};
}

}  // namespace weft
