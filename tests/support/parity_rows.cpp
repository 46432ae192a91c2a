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

ParityCase swiglu_case(std::string_view kernel, Size s, double p, bool in_place) {
  const std::string name = fmt::format("{} dropout {}{}", kernel, p, in_place ? ", in place" : "");
  return parity_case(at(name, s), [=](TestContext& ctx, DType dtype) {
    const Tensor gate_up = ctx.normal({s.rows, 2 * s.columns}, dtype, 1, 3.0), dh = ctx.normal({s.rows, s.columns}, dtype, 2);
    const Tensor h = ctx.empty(dh.shape, dtype), dgate_up = in_place ? gate_up : ctx.empty(gate_up.shape, dtype);
    const RowDropout dropout = row_dropout(ctx, s.rows, p);
    kernels::swiglu_forward(ctx, {.gate_up = gate_up, .dropout = dropout, .h = h});
    kernels::swiglu_backward(ctx, {.dh = dh, .gate_up = gate_up, .dropout = dropout, .dgate_up = dgate_up});
    return std::vector<Output>{h, dgate_up};
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

ParityCase residual_dropout_case(Size s, double p) {
  return parity_case(at(fmt::format("dropout {} and a residual", p), s), [=](TestContext& ctx, DType dtype) {
    const Tensor x = ctx.normal({s.rows, s.columns}, dtype, 1), residual = ctx.normal(x.shape, dtype, 2), y = ctx.empty(x.shape, dtype);
    const RowDropout dropout = row_dropout(ctx, s.rows, p);
    kernels::dropout(ctx, {.x = x, .residual = residual, .dropout = dropout, .y = y});
    kernels::dropout(ctx, {.x = x, .residual = residual, .dropout = dropout, .y = x});
    ctx.context().training = false;
    kernels::dropout(ctx, {.x = residual, .residual = y, .dropout = dropout, .y = residual});
    return std::vector<Output>{y, x, residual};
  });
}

/// RMS norm has neither mean nor bias.
Tensor unless(bool rms, const Tensor& tensor) {
  return rms ? Tensor() : tensor;
}

/// What is there, mean or not.
std::vector<Output> defined(std::initializer_list<Output> outputs) {
  std::vector<Output> found;
  for (const Output& output : outputs) {
    if (output.tensor.defined()) found.push_back(output);
  }
  return found;
}

ParityCase norm_forward_case(Size s, bool rms, bool in_place) {
  return parity_case(at(fmt::format("norm_forward{}{}", rms ? " rms" : "", in_place ? " in place" : ""), s),
                     [=](TestContext& ctx, DType dtype) {
                       const Tensor x = ctx.normal({s.rows, s.columns}, dtype, 1), y = in_place ? x : ctx.empty(x.shape, dtype);
                       const Tensor mean = unless(rms, ctx.empty({s.rows}, sum_type(dtype))), rstd = ctx.empty({s.rows}, sum_type(dtype));
                       kernels::norm_forward(ctx, {.x = x,
                                                   .weight = ctx.normal({s.columns}, dtype, 2),
                                                   .bias = unless(rms, ctx.normal({s.columns}, dtype, 3)),
                                                   .eps = 1e-2,
                                                   .y = y,
                                                   .mean = mean,
                                                   .rstd = rstd});
                       return defined({y, mean, rstd});
                     });
}

ParityCase residual_norm_forward_case(Size s, bool rms, double p, bool in_place) {
  const std::string name = fmt::format("norm_forward{} of a residual, dropout {}{}", rms ? " rms" : "", p, in_place ? ", in place" : "");
  return parity_case(at(name, s), [=](TestContext& ctx, DType dtype) {
    const Tensor x = ctx.normal({s.rows, s.columns}, dtype, 1), residual = ctx.normal(x.shape, dtype, 2);
    const Tensor z = in_place ? x : ctx.empty(x.shape, dtype), y = ctx.empty(x.shape, dtype);
    const Tensor mean = unless(rms, ctx.empty({s.rows}, sum_type(dtype))), rstd = ctx.empty({s.rows}, sum_type(dtype));
    kernels::norm_forward(ctx, {.x = x,
                                .residual = residual,
                                .dropout = row_dropout(ctx, s.rows, p),
                                .weight = ctx.normal({s.columns}, dtype, 3),
                                .bias = unless(rms, ctx.normal({s.columns}, dtype, 4)),
                                .eps = 1e-2,
                                .z = z,
                                .y = y,
                                .mean = mean,
                                .rstd = rstd});
    return defined({z, y, {mean, dtype}, {rstd, dtype}});  // of z, which is rounded
  });
}

enum class Placed { kApart, kOverDy, kOverBoth };  // dz over dy; or dz over dy and dx over dz_add

ParityCase norm_backward_case(Size s, bool rms, double p, bool add, Placed placed) {
  constexpr const char* kPlaces[] = {"", ", dz is dy", ", dz is dy, dx is dz_add"};
  const std::string name =
      fmt::format("norm_backward{} dropout {}{}{}", rms ? " rms" : "", p, add ? ", dz_add" : "", kPlaces[static_cast<std::size_t>(placed)]);
  return parity_case(at(name, s), [=](TestContext& ctx, DType dtype) {
    const DType sums = sum_type(dtype);
    const Tensor dy = ctx.normal({s.rows, s.columns}, dtype, 1), z = ctx.normal(dy.shape, dtype, 2);
    const Tensor dz_add = add ? ctx.normal(dy.shape, dtype, 3) : Tensor(), dz = placed == Placed::kApart ? ctx.empty(dy.shape, dtype) : dy;
    const Tensor dx = placed == Placed::kOverBoth ? dz_add : p > 0 ? ctx.empty(dy.shape, dtype) : Tensor();
    const Tensor dweight = ctx.normal({s.columns}, sums, 4), dbias = unless(rms, ctx.normal({s.columns}, sums, 5));
    kernels::norm_backward(ctx, {.dy = dy,
                                 .z = z,
                                 .weight = ctx.normal({s.columns}, dtype, 6),
                                 .mean = unless(rms, ctx.normal({s.rows}, sums, 7)),
                                 .rstd = ctx.normal({s.rows}, sums, 8),
                                 .dz_add = dz_add,
                                 .dropout = row_dropout(ctx, s.rows, p),
                                 .dz = dz,
                                 .dx = dx,
                                 .dweight = dweight,
                                 .dbias = dbias});
    return defined({dz, dweight, dbias, dx});
  });
}

std::int64_t norm_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  return kernels.norm_backward.workspace_bytes({.z = Tensor(nullptr, {rows, 48}, dtype)});
}

void append_norm_cases(Size s, bool rms, std::vector<ParityCase>& cases) {
  cases.push_back(norm_forward_case(s, rms, false));
  cases.push_back(norm_forward_case(s, rms, true));
  for (const double p : {0.0, 0.3}) {
    cases.push_back(residual_norm_forward_case(s, rms, p, false));
    cases.push_back(residual_norm_forward_case(s, rms, p, true));
    for (const bool add : {false, true}) {
      cases.push_back(norm_backward_case(s, rms, p, add, Placed::kApart));
      cases.push_back(norm_backward_case(s, rms, p, add, Placed::kOverDy));
    }
    cases.push_back(norm_backward_case(s, rms, p, true, Placed::kOverBoth));
  }
}

}  // namespace

std::vector<ParityCase> row_parity_cases() {
  std::vector<ParityCase> cases;
  for (const Size s : kSizes) {
    for (const Activation f : {Activation::kNone, Activation::kRelu, Activation::kGelu, Activation::kGeluTanh}) {
      cases.push_back(activation_case(s, f, false));
      cases.push_back(activation_case(s, f, true));
    }
    for (const double p : {0.0, 0.3}) {
      cases.push_back(dropout_case(s, p));
      cases.push_back(residual_dropout_case(s, p));
      for (const char* kernel : {"swiglu_forward", "swiglu_backward"}) {
        cases.push_back(swiglu_case(kernel, s, p, false));
        cases.push_back(swiglu_case(kernel, s, p, true));
      }
    }
    for (const bool rms : {false, true}) append_norm_cases(s, rms, cases);
  }
  cases.push_back(growing_workspace_case("norm_backward_workspace never falls", norm_workspace));
  return cases;
}

}  // namespace weft::test
