#include <fmt/format.h>

#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

struct Size {
  std::int64_t rows, columns;
};
constexpr Size kSizes[] = {{1, 1}, {0, 5}, {3, 1}, {5, 16}, {7, 33}, {300, 17}, {2, 1031}};

std::string at(std::string_view what, Size s) {
  return fmt::format("{} {}x{}", what, s.rows, s.columns);
}

ParityCase activation_case(Size s, Activation activation, bool in_place) {
  const std::string name = fmt::format("activation_backward {} {}", static_cast<int>(activation), in_place ? "in place" : "");
  return parity_case(at(name, s), [=](TestContext& ctx, DType dtype) {
    const Shape shape{s.rows, s.columns};
    const Tensor dy = ctx.normal(shape, dtype, 1), x = ctx.normal(shape, dtype, 2, 2.0);
    const Tensor dx = in_place ? dy : ctx.empty(shape, dtype);
    if (x.elements() > 2) std::fill_n(x.data + size_of(dtype), size_of(dtype), std::byte{0});  // exactly 0
    kernels::activation_backward(ctx, {.dy = dy, .x = x, .activation = activation, .dx = dx});
    return std::vector<Output>{dx};
  });
}

ParityCase dropout_case(Size s, double p) {
  return parity_case(at(fmt::format("dropout {}", p), s), [=](TestContext& ctx, DType dtype) {
    const Tensor x = ctx.normal({s.rows, s.columns}, dtype, 1), y = ctx.empty(x.shape, dtype), in_place = ctx.normal(x.shape, dtype, 2);
    const RowDropout dropout = row_dropout(ctx, s.rows, p);
    ctx.step_state(StepState::kStep) = 123456;
    kernels::dropout(ctx, {.x = x, .dropout = dropout, .y = y});
    kernels::dropout(ctx, {.x = in_place, .dropout = dropout, .y = in_place});
    return std::vector<Output>{y, in_place};
  });
}

ParityCase residual_case(Size s, double p) {
  return parity_case(at(fmt::format("residual_forward dropout {}", p), s), [=](TestContext& ctx, DType dtype) {
    const Tensor x = ctx.normal({s.rows, s.columns}, dtype, 1), residual = ctx.normal(x.shape, dtype, 2), y = ctx.empty(x.shape, dtype);
    const RowDropout dropout = row_dropout(ctx, s.rows, p);
    kernels::residual_forward(ctx, {.x = x, .residual = residual, .dropout = dropout, .y = y});
    kernels::residual_forward(ctx, {.x = x, .residual = residual, .dropout = dropout, .y = x});
    ctx.context().training = false;
    kernels::residual_forward(ctx, {.x = residual, .residual = y, .dropout = dropout, .y = residual});
    return std::vector<Output>{y, x, residual};
  });
}

ParityCase norm_forward_case(Size s) {
  return parity_case(at("layer_norm_forward", s), [=](TestContext& ctx, DType dtype) {
    const Tensor x = ctx.normal({s.rows, s.columns}, dtype, 1), y = ctx.empty(x.shape, dtype);
    const Tensor mean = ctx.empty({s.rows}, sum_type(dtype)), rstd = ctx.empty({s.rows}, sum_type(dtype));
    kernels::layer_norm_forward(ctx, {.x = x,
                                      .weight = ctx.normal({s.columns}, dtype, 2),
                                      .bias = ctx.normal({s.columns}, dtype, 3),
                                      .eps = 1e-2,
                                      .y = y,
                                      .mean = mean,
                                      .rstd = rstd});
    return std::vector<Output>{y, mean, rstd};
  });
}

ParityCase norm_backward_case(Size s, bool add, bool in_place) {
  const std::string name = fmt::format("layer_norm_backward{}{}", add ? " dx_add" : "", in_place ? " in place" : "");
  return parity_case(at(name, s), [=](TestContext& ctx, DType dtype) {
    const DType sums = sum_type(dtype);
    const Tensor dy = ctx.normal({s.rows, s.columns}, dtype, 1), x = ctx.normal(dy.shape, dtype, 2);
    const Tensor dx = in_place ? dy : ctx.empty(dy.shape, dtype);
    const Tensor dweight = ctx.normal({s.columns}, sums, 3), dbias = ctx.normal({s.columns}, sums, 4);
    kernels::layer_norm_backward(ctx, {.dy = dy,
                                       .x = x,
                                       .weight = ctx.normal({s.columns}, dtype, 5),
                                       .mean = ctx.normal({s.rows}, sums, 6),
                                       .rstd = ctx.normal({s.rows}, sums, 7),
                                       .dx_add = add ? ctx.normal(dy.shape, dtype, 8) : Tensor(),
                                       .dx = dx,
                                       .dweight = dweight,
                                       .dbias = dbias});
    return std::vector<Output>{dx, dweight, dbias};
  });
}

ParityCase residual_norm_forward_case(Size s, double p, bool in_place) {
  const std::string name = fmt::format("residual_norm_forward dropout {}{}", p, in_place ? " in place" : "");
  return parity_case(at(name, s), [=](TestContext& ctx, DType dtype) {
    const Tensor x = ctx.normal({s.rows, s.columns}, dtype, 1), residual = ctx.normal(x.shape, dtype, 2);
    const Tensor z = in_place ? x : ctx.empty(x.shape, dtype), y = ctx.empty(x.shape, dtype);
    const Tensor mean = ctx.empty({s.rows}, sum_type(dtype)), rstd = ctx.empty({s.rows}, sum_type(dtype));
    kernels::residual_norm_forward(ctx, {.x = x,
                                         .residual = residual,
                                         .dropout = row_dropout(ctx, s.rows, p),
                                         .weight = ctx.normal({s.columns}, dtype, 3),
                                         .bias = ctx.normal({s.columns}, dtype, 4),
                                         .eps = 1e-2,
                                         .z = z,
                                         .y = y,
                                         .mean = mean,
                                         .rstd = rstd});
    return std::vector<Output>{z, y, {mean, dtype}, {rstd, dtype}};  // of z, which is rounded
  });
}

ParityCase residual_norm_backward_case(Size s, double p, bool add) {
  const std::string name = fmt::format("residual_norm_backward dropout {}{}", p, add ? " dz_add, in place" : "");
  return parity_case(at(name, s), [=](TestContext& ctx, DType dtype) {
    const DType sums = sum_type(dtype);
    const Tensor dy = ctx.normal({s.rows, s.columns}, dtype, 1), z = ctx.normal(dy.shape, dtype, 2);
    const Tensor dz_add = add ? ctx.normal(dy.shape, dtype, 3) : Tensor();
    const Tensor dresidual = add ? dy : ctx.empty(dy.shape, dtype), dx = add ? dz_add : p > 0 ? ctx.empty(dy.shape, dtype) : Tensor();
    const Tensor dweight = ctx.normal({s.columns}, sums, 4), dbias = ctx.normal({s.columns}, sums, 5);
    kernels::residual_norm_backward(ctx, {.dy = dy,
                                          .z = z,
                                          .weight = ctx.normal({s.columns}, dtype, 6),
                                          .mean = ctx.normal({s.rows}, sums, 7),
                                          .rstd = ctx.normal({s.rows}, sums, 8),
                                          .dz_add = dz_add,
                                          .dropout = row_dropout(ctx, s.rows, p),
                                          .dresidual = dresidual,
                                          .dx = dx,
                                          .dweight = dweight,
                                          .dbias = dbias});
    std::vector<Output> outputs{dresidual, dweight, dbias};
    if (dx.defined()) outputs.push_back(dx);
    return outputs;
  });
}

}  // namespace

std::vector<ParityCase> row_parity_cases() {
  std::vector<ParityCase> cases;
  for (const Size s : kSizes) {
    for (const Activation f : {Activation::kNone, Activation::kRelu, Activation::kGelu, Activation::kGeluTanh}) {
      cases.push_back(activation_case(s, f, false));
      cases.push_back(activation_case(s, f, true));
    }
    cases.push_back(norm_forward_case(s));
    for (const bool add : {false, true}) {
      cases.push_back(norm_backward_case(s, add, false));
      cases.push_back(norm_backward_case(s, add, true));
    }
    for (const double p : {0.0, 0.3}) {
      cases.push_back(dropout_case(s, p));
      cases.push_back(residual_case(s, p));
      cases.push_back(residual_norm_forward_case(s, p, false));
      cases.push_back(residual_norm_forward_case(s, p, true));
      cases.push_back(residual_norm_backward_case(s, p, false));
      cases.push_back(residual_norm_backward_case(s, p, true));
    }
  }
  cases.push_back(growing_workspace_case(
      "norm_backward_workspace never falls",
      [](const KernelTable& kernels, DType dtype, std::int64_t rows) { return kernels.norm_backward_workspace(rows, 48, dtype); }));
  return cases;
}

}  // namespace weft::test
