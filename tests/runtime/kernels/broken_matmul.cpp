#include "tests/runtime/kernels/broken_kernels.h"

namespace weft::test {

using namespace weft::kernels;

void break_matmul(Tables& t) {
  add(t, "matmul: sign", &KernelTable::matmul, [](Context& c, const Matmul& a) {
    right().matmul.run(c, a);
    multiply(a.y, -1);
  });
  add(t, "matmul: last product left out", &KernelTable::matmul, [](Context& c, const Matmul& a) {
    Matmul b = a;
    const std::int64_t k = a.a.size(a.transpose_a ? 0 : 1);
    b.a = a.a.slice(a.transpose_a ? 0 : 1, 0, std::max<std::int64_t>(k - 1, 0));
    right().matmul.run(c, b);
  });
  add(t, "matmul: overwrites where it should add", &KernelTable::matmul, [](Context& c, const Matmul& a) {
    Matmul b = a;
    b.accumulate = false;
    right().matmul.run(c, b);
  });
  add(t, "matmul: bias left out", &KernelTable::matmul, [](Context& c, const Matmul& a) {
    Matmul b = a;
    b.bias = {};
    right().matmul.run(c, b);
  });
  add(t, "matmul: no activation", &KernelTable::matmul, [](Context& c, const Matmul& a) {
    Matmul b = a;
    b.activation = Activation::kNone;
    right().matmul.run(c, b);
  });
  add(t, "matmul: y taken as contiguous", &KernelTable::matmul, [](Context& c, const Matmul& a) {
    Matmul b = a;
    b.y = Tensor(a.y.data, a.y.shape, a.y.dtype);
    right().matmul.run(c, b);
  });
  add_workspace(t, "matmul_workspace: falls", &KernelTable::matmul,
                [](const Matmul& a) { return std::max<std::int64_t>(0, (1 << 20) - a.a.elements()); });
  add(t, "pack_matmul: last row left out", &KernelTable::pack_matmul, [](Context& c, const PackMatmul& a) {
    std::fill_n(a.packed.data, a.packed.bytes(), std::byte{});
    right().pack_matmul.run(c, {.b = but_last(a.b), .transpose_b = a.transpose_b, .packed = a.packed});
  });
  add_entry(t, "packed_matmul_bytes: falls", &KernelTable::packed_matmul_bytes,
            [](const Tensor& b, bool) { return std::max<std::int64_t>(0, (1 << 20) - b.shape.elements()); });
  add(t, "bias_gradient: last row left out", &KernelTable::bias_gradient,
      [](Context& c, const BiasGradient& a) { right().bias_gradient.run(c, {.dy = but_last(a.dy), .dbias = a.dbias}); });
  add(t, "bias_gradient: overwrites where it should add", &KernelTable::bias_gradient, [](Context& c, const BiasGradient& a) {
    multiply(a.dbias, 0);
    right().bias_gradient.run(c, a);
  });
  add_workspace(t, "bias_gradient_workspace: falls", &KernelTable::bias_gradient,
                [](const BiasGradient& a) { return std::max<std::int64_t>(0, (1 << 20) - a.dy.elements()); });
}

void break_rows(Tables& t) {
  add(t, "activation_backward: sign", &KernelTable::activation_backward, [](Context& c, const ActivationBackward& a) {
    right().activation_backward.run(c, a);
    multiply(a.dx, -1);
  });
  add(t, "activation_backward: relu for gelu", &KernelTable::activation_backward, [](Context& c, const ActivationBackward& a) {
    ActivationBackward b = a;
    if (a.activation == Activation::kGelu) b.activation = Activation::kRelu;
    right().activation_backward.run(c, b);
  });
  add(t, "swiglu_forward: no mask", &KernelTable::swiglu_forward, [](Context& c, const SwigluForward& a) {
    SwigluForward b = a;
    b.dropout = {};
    right().swiglu_forward.run(c, b);
  });
  add(t, "swiglu_backward: no mask", &KernelTable::swiglu_backward, [](Context& c, const SwigluBackward& a) {
    SwigluBackward b = a;
    b.dropout = {};
    right().swiglu_backward.run(c, b);
  });
  add(t, "dropout: no mask", &KernelTable::dropout, [](Context& c, const DropoutApply& a) {
    DropoutApply b = a;
    b.dropout = {};
    right().dropout.run(c, b);
  });
  add(t, "dropout: what is kept is not scaled", &KernelTable::dropout, [](Context& c, const DropoutApply& a) {
    right().dropout.run(c, a);
    multiply(a.y, static_cast<float>(1 - a.dropout.site.p));
  });
  add(t, "dropout: sample and position exchanged", &KernelTable::dropout, [](Context& c, const DropoutApply& a) {
    DropoutApply b = a;
    std::swap(b.dropout.sample, b.dropout.positions);
    right().dropout.run(c, b);
  });
  add(t, "dropout: mask of the step before", &KernelTable::dropout, [](Context& c, const DropoutApply& a) {
    OtherState other(c, StepState::kStep, c.step_state.as<double>()[StepState::kStep] - 1);
    right().dropout.run(other.context(), a);
  });
  add(t, "dropout: residual left out", &KernelTable::dropout, [](Context& c, const DropoutApply& a) {
    DropoutApply b = a;
    b.residual = {};
    right().dropout.run(c, b);
  });
  add(t, "dropout: drops when not training", &KernelTable::dropout, [](Context& c, const DropoutApply& a) {
    Context training{c.device, c.stream, c.memory, c.step_state, true};
    right().dropout.run(training, a);
  });
}

}  // namespace weft::test
