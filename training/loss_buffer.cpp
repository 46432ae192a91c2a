#include "training/loss_buffer.h"

namespace weft {
namespace {

using Fields = std::array<double, LossSums::kFields>;
constexpr std::int64_t kBytes = LossSums::kFields * static_cast<std::int64_t>(sizeof(double));

Tensor view(Fields& fields) {
  return {fields.data(), {LossSums::kFields}, DType::kFloat64};
}

LossTotals totals_of(const Fields& fields) {
  return {.loss = fields[LossSums::kLoss],
          .nll = fields[LossSums::kNll],
          .count = fields[LossSums::kCount],
          .correct = fields[LossSums::kCorrect]};
}

}  // namespace

LossBuffer::LossBuffer(Device& device, Stream& stream)
    : device_(device),
      stream_(stream),
      memory_(device.allocate(2 * kBytes, MemoryKind::kDevice)),
      sums_(memory_.tensor({LossSums::kFields}, DType::kFloat64)),
      exchanged_(memory_.data() + kBytes, {LossSums::kFields}, DType::kFloat64) {
  Fields zeros{};
  device_.copy(stream_, sums_, view(zeros));
  stream_.synchronize();
}

LossTotals LossBuffer::take() {
  Fields totals{}, zeros{};
  device_.copy(stream_, view(totals), sums_);
  device_.copy(stream_, sums_, view(zeros));
  stream_.synchronize();
  return totals_of(totals);
}

LossTotals LossBuffer::sum_over(Communicator& ranks, const LossTotals& own) {
  if (ranks.size() == 1) return own;
  Fields fields{};
  fields[LossSums::kLoss] = own.loss;
  fields[LossSums::kNll] = own.nll;
  fields[LossSums::kCount] = own.count;
  fields[LossSums::kCorrect] = own.correct;
  device_.copy(stream_, exchanged_, view(fields));
  ranks.all_reduce(stream_, exchanged_);
  device_.copy(stream_, view(fields), exchanged_);
  stream_.synchronize();
  return totals_of(fields);
}

}  // namespace weft
