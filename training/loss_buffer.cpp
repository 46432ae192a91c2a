#include "training/loss_buffer.h"

namespace weft {

LossBuffer::LossBuffer(Device& device, Stream& stream)
    : device_(device),
      stream_(stream),
      memory_(device.allocate(LossSums::kFields * static_cast<std::int64_t>(sizeof(double)), MemoryKind::kDevice)),
      sums_(memory_.tensor({LossSums::kFields}, DType::kFloat64)) {
  std::array<double, LossSums::kFields> zeros{};
  device_.copy(stream_, sums_, Tensor(zeros.data(), {LossSums::kFields}, DType::kFloat64));
  stream_.synchronize();
}

LossTotals LossBuffer::take() {
  std::array<double, LossSums::kFields> totals{}, zeros{};
  device_.copy(stream_, Tensor(totals.data(), {LossSums::kFields}, DType::kFloat64), sums_);
  device_.copy(stream_, sums_, Tensor(zeros.data(), {LossSums::kFields}, DType::kFloat64));
  stream_.synchronize();
  return {.loss = totals[LossSums::kLoss],
          .nll = totals[LossSums::kNll],
          .count = totals[LossSums::kCount],
          .correct = totals[LossSums::kCorrect]};
}

}  // namespace weft
