#include <limits>

#include <fmt/format.h>

#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

/// The state of a third update whose gradients are clipped to 0.5.
void set_state(TestContext& ctx, bool finite) {
  ctx.step_state(StepState::kLearningRate) = 0.01;
  ctx.step_state(StepState::kAdamCount) = 3;
  ctx.step_state(StepState::kClipScale) = finite ? 0.5 : 0;
  ctx.step_state(StepState::kFinite) = finite ? 1 : 0;
}

Tensor positive(TestContext& ctx, std::int64_t count, DType dtype, std::uint64_t seed) {
  std::vector<double> values = to_doubles(ctx.normal({count}, dtype, seed));
  for (double& value : values) value *= value;
  return ctx.floats(values, dtype, {count});
}

ParityCase adam_case(std::int64_t n, bool decoupled, bool finite) {
  const std::string name = fmt::format("adam_update {}{}{}", n, decoupled ? " decoupled" : "", finite ? "" : " not finite");
  return parity_case(name, [=](TestContext& ctx, DType dtype) {
    set_state(ctx, finite);
    const DType sums = sum_type(dtype);
    const Tensor master = ctx.normal({n}, sums, 1), m = ctx.normal({n}, sums, 2), v = positive(ctx, n, sums, 3);
    const Tensor value = dtype == sums ? master : ctx.normal({n}, dtype, 4);
    kernels::adam_update(ctx, {.gradient = ctx.normal({n}, sums, 5),
                               .master = master,
                               .exp_avg = m,
                               .exp_avg_sq = v,
                               .value = value,
                               .eps = 1e-3,
                               .weight_decay = 0.1,
                               .decoupled = decoupled});
    return std::vector<Output>{master, m, v, value};
  });
}

ParityCase sgd_case(std::int64_t n, double momentum, bool nesterov, bool finite) {
  const std::string name =
      fmt::format("sgd_update {} momentum {}{}{}", n, momentum, nesterov ? " nesterov" : "", finite ? "" : " not finite");
  return parity_case(name, [=](TestContext& ctx, DType dtype) {
    set_state(ctx, finite);
    const DType sums = sum_type(dtype);
    const Tensor master = ctx.normal({n}, sums, 1), buffer = ctx.normal({n}, sums, 2);
    const Tensor value = dtype == sums ? master : ctx.normal({n}, dtype, 3);
    kernels::sgd_update(ctx, {.gradient = ctx.normal({n}, sums, 4),
                              .master = master,
                              .momentum_buffer = momentum != 0 ? buffer : Tensor(),
                              .value = value,
                              .momentum = momentum,
                              .nesterov = nesterov,
                              .weight_decay = 0.1});
    return std::vector<Output>{master, buffer, value};
  });
}

ParityCase ema_case(std::int64_t n, bool finite) {
  return parity_case(fmt::format("ema_update {}{}", n, finite ? "" : " not finite"), [=](TestContext& ctx, DType dtype) {
    set_state(ctx, finite);
    const Tensor average = ctx.normal({n}, sum_type(dtype), 1);
    kernels::ema_update(ctx, {.master = ctx.normal({n}, sum_type(dtype), 2), .average = average, .decay = 0.9});
    return std::vector<Output>{average};
  });
}

ParityCase sum_of_squares_case(std::int64_t n, double deviation) {
  return parity_case(fmt::format("sum_of_squares {} deviation {}", n, deviation), [=](TestContext& ctx, DType dtype) {
    ctx.step_state(StepState::kSumOfSquares) = deviation * deviation;
    kernels::sum_of_squares(ctx, {.x = ctx.normal({n}, sum_type(dtype), 1, deviation)});
    return std::vector<Output>{ctx.context().step_state};
  });
}

ParityCase finish_norm_case(double sum_of_squares, double max_grad_norm) {
  return parity_case(fmt::format("finish_norm {} of {}", max_grad_norm, sum_of_squares), [=](TestContext& ctx, DType) {
    ctx.step_state(StepState::kSumOfSquares) = sum_of_squares;
    ctx.step_state(StepState::kNonFiniteRow) = 2;
    kernels::finish_norm(ctx, {.max_grad_norm = max_grad_norm});
    std::vector<Output> outputs;
    for (std::int64_t i = 0; i < StepState::kFields; ++i) outputs.push_back(ctx.context().step_state.slice(0, i, 1));
    return outputs;
  });
}

std::int64_t sum_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  return kernels.sum_of_squares.workspace_bytes({.x = Tensor(nullptr, {rows * 1000}, sum_type(dtype))});
}

}  // namespace

std::vector<ParityCase> optimizer_parity_cases() {
  std::vector<ParityCase> cases;
  for (const std::int64_t n : {0, 1, 63, 1000}) {
    for (const bool finite : {true, false}) {
      cases.push_back(adam_case(n, false, finite));
      cases.push_back(adam_case(n, true, finite));
      cases.push_back(sgd_case(n, 0, false, finite));
      cases.push_back(sgd_case(n, 0.9, false, finite));
      cases.push_back(sgd_case(n, 0.9, true, finite));
      cases.push_back(ema_case(n, finite));
    }
  }
  for (const std::int64_t n : {0, 1, 63, 100003}) cases.push_back(sum_of_squares_case(n, 1));
  cases.push_back(sum_of_squares_case(1001, 1e25));  // beyond float32 once squared
  for (const double squares : {0.0, 0.25, 9.0, std::numeric_limits<double>::infinity()}) {
    for (const double limit : {0.0, 1.0}) cases.push_back(finish_norm_case(squares, limit));
  }
  cases.push_back(growing_workspace_case("sum_of_squares_workspace never falls", sum_workspace));
  return cases;
}

}  // namespace weft::test
