#include "layers/tensor_parallel.h"

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

void TensorParallel::leave(Context& ctx, Tensor y) const {
  if (size() > 1) tp_->all_reduce(ctx.stream, y);
}

void TensorParallel::all_gather(Context& ctx, Tensor x, Tensor y) const {
  if (size() > 1) return tp_->all_gather(ctx.stream, x, y);
  ctx.device.copy(ctx.stream, y, x);
}

void TensorParallel::enter_backward(Context& ctx, Tensor dx) const {
  if (size() > 1) tp_->all_reduce(ctx.stream, dx);
}

void TensorParallel::require_divides(const char* key, std::int64_t count) const {
  if (count % size() == 0) return;
  std::string sizes;
  for (std::int64_t n = 1; n <= count && n <= 64; ++n) {
    if (count % n == 0) sizes += fmt::format("{}{}", sizes.empty() ? "" : ", ", n);
  }
  fail_input(fmt::format("parallel.tensor: {} does not divide {} = {}\n  expected  {}", size(), key, count, sizes));
}

VocabularyPiece piece_of_vocabulary(const Parameter& weight) {
  const Part& part = weight.parts.at(0);
  return {.first = part.box.begin[0], .vocab_size = part.shape[0]};
}

}  // namespace weft
