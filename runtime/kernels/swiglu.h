#pragma once
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/tensor.h"

// The gated unit of a feed-forward layer, arXiv 2002.05202: h = dropout(silu(gate) up), silu(x) = x / (1 + exp(-x)). Gate and up are what
// one product has written side by side.
namespace weft::kernels {

struct SwigluForward {
  Tensor gate_up;  // (T, 2F): gate, then up
  RowDropout dropout;
  Tensor h;  // (T, F), overwritten
};
void swiglu_forward(Context&, const SwigluForward&);

/// With g = dropout(dh): dgate = g up silu'(gate), dup = g silu(gate).
struct SwigluBackward {
  Tensor dh;       // (T, F)
  Tensor gate_up;  // (T, 2F)
  RowDropout dropout;
  Tensor dgate_up;  // (T, 2F), overwritten; may be gate_up
};
void swiglu_backward(Context&, const SwigluBackward&);

}  // namespace weft::kernels
