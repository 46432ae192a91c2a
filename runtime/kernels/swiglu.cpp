#include "runtime/kernels/swiglu.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {
namespace {

void check(const char* kernel, const Tensor& h, const Tensor& gate_up, const RowDropout& dropout) {
  require_dims(kernel, "h", h, 2, kFloating);
  require_contiguous(kernel, "h", h, h.shape, h.dtype);
  require_contiguous(kernel, "gate_up", gate_up, {h.size(0), 2 * h.size(1)}, h.dtype);
  require_dropout(kernel, dropout, h.size(0));
}

}  // namespace

void swiglu_forward(Context& ctx, const SwigluForward& a) {
  check("swiglu_forward", a.h, a.gate_up, a.dropout);
  launch(ctx, &KernelTable::swiglu_forward, a);
}

void swiglu_backward(Context& ctx, const SwigluBackward& a) {
  check("swiglu_backward", a.dh, a.gate_up, a.dropout);
  require_contiguous("swiglu_backward", "dgate_up", a.dgate_up, a.gate_up.shape, a.dh.dtype);
  launch(ctx, &KernelTable::swiglu_backward, a);
}

}  // namespace weft::kernels
