#include "tests/runtime/kernels/broken_kernels.h"

namespace weft::test {

using namespace weft::kernels;

void break_optimizer(Tables& t) {
  add(t, "sum_of_squares: overwrites where it should add", &KernelTable::sum_of_squares, [](Context& c, const SumOfSquares& a) {
    c.step_state.as<double>()[StepState::kSumOfSquares] = 0;
    right().sum_of_squares.run(c, a);
  });
  add(t, "sum_of_squares: last element left out", &KernelTable::sum_of_squares,
      [](Context& c, const SumOfSquares& a) { right().sum_of_squares.run(c, {.x = but_last(a.x)}); });
  add_workspace(t, "sum_of_squares_workspace: falls", &KernelTable::sum_of_squares,
                [](const SumOfSquares& a) { return std::max<std::int64_t>(0, 10000 - a.x.elements()); });
  add(t, "finish_norm: never clips", &KernelTable::finish_norm, [](Context& c, const FinishNorm&) { right().finish_norm.run(c, {}); });
  add(t, "finish_norm: counts a non-finite update", &KernelTable::finish_norm, [](Context& c, const FinishNorm& a) {
    const double before = c.step_state.as<double>()[StepState::kAdamCount];
    right().finish_norm.run(c, a);
    c.step_state.as<double>()[StepState::kAdamCount] = before + 1;
  });
  add(t, "adam_update: L2 for decoupled decay", &KernelTable::adam_update, [](Context& c, const AdamUpdate& a) {
    AdamUpdate b = a;
    b.decoupled = false;
    right().adam_update.run(c, b);
  });
  add(t, "adam_update: gradient not clipped", &KernelTable::adam_update, [](Context& c, const AdamUpdate& a) {
    OtherState other(c, StepState::kClipScale, 1);
    right().adam_update.run(other.context(), a);
  });
  add(t, "adam_update: updates though not finite", &KernelTable::adam_update, [](Context& c, const AdamUpdate& a) {
    OtherState other(c, StepState::kFinite, 1);
    right().adam_update.run(other.context(), a);
  });
  add(t, "adam_update: bias correction off by one", &KernelTable::adam_update, [](Context& c, const AdamUpdate& a) {
    OtherState other(c, StepState::kAdamCount, c.step_state.as<double>()[StepState::kAdamCount] - 1);
    right().adam_update.run(other.context(), a);
  });
  add(t, "sgd_update: nesterov ignored", &KernelTable::sgd_update, [](Context& c, const SgdUpdate& a) {
    SgdUpdate b = a;
    b.nesterov = false;
    right().sgd_update.run(c, b);
  });
  add(t, "sgd_update: sign of the decay", &KernelTable::sgd_update, [](Context& c, const SgdUpdate& a) {
    SgdUpdate b = a;
    b.weight_decay = -a.weight_decay;
    right().sgd_update.run(c, b);
  });
  add(t, "ema_update: decay for 1 - decay", &KernelTable::ema_update,
      [](Context& c, const EmaUpdate& a) { right().ema_update.run(c, {.master = a.master, .average = a.average, .decay = 1 - a.decay}); });
}

void break_memory(Tables& t) {
  add(t, "convert: y taken as contiguous", &KernelTable::convert,
      [](Context& c, const Convert& a) { right().convert.run(c, {.x = a.x, .y = Tensor(a.y.data, a.y.shape, a.y.dtype)}); });
  add(t, "convert: sign", &KernelTable::convert, [](Context& c, const Convert& a) {
    right().convert.run(c, a);
    multiply(a.y, -1);
  });
  add(t, "fill_zero: last element left out", &KernelTable::fill_zero,
      [](Context& c, const FillZero& a) { right().fill_zero.run(c, {.y = but_last(a.y)}); });
  add(t, "exchange: b keeps what it held", &KernelTable::exchange, [](Context& c, const Exchange& a) {
    right().copy_rows.run(c, {.x = a.b.view({a.b.size(0), 1}), .y = a.a.view({a.a.size(0), 1})});
  });
  add(t, "accumulate: y overwritten", &KernelTable::accumulate, [](Context& c, const Accumulate& a) {
    right().fill_zero.run(c, {.y = a.y});
    right().accumulate.run(c, a);
  });
  add(t, "copy_rows: from ignored", &KernelTable::copy_rows, [](Context& c, const CopyRows& a) {
    if (!a.from.defined()) return right().copy_rows.run(c, a);
    Changed from(a.from, [](int) { return 0; });
    CopyRows b = a;
    b.from = from.tensor();
    right().copy_rows.run(c, b);
  });
  add(t, "copy_rows: to off by one", &KernelTable::copy_rows, [](Context& c, const CopyRows& a) {
    if (!a.to.defined()) return right().copy_rows.run(c, a);
    Changed to(a.to, [&](int row) { return (row + 1) % a.y.size(0); });
    CopyRows b = a;
    b.to = to.tensor();
    right().copy_rows.run(c, b);
  });
}

}  // namespace weft::test
