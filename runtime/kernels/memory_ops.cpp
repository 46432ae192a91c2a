#include "runtime/kernels/memory_ops.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {

void convert(Context& ctx, const Convert& a) {
  require_that(a.x.defined() && is_floating(a.x.dtype), "convert", "x is not floating");
  require_that(is_floating(a.y.dtype), "convert", "y is not floating");
  require("convert", "y", a.y, a.x.shape, a.y.dtype);
  launch(ctx, &KernelTable::convert, a);
}

void fill_zero(Context& ctx, const FillZero& a) {
  require_contiguous("fill_zero", "y", a.y, a.y.shape, a.y.dtype);
  launch(ctx, &KernelTable::fill_zero, a);
}

void exchange(Context& ctx, const Exchange& a) {
  require_dims("exchange", "a", a.a, 1, {a.a.dtype});
  require("exchange", "b", a.b, a.a.shape, a.a.dtype);
  launch(ctx, &KernelTable::exchange, a);
}

void accumulate(Context& ctx, const Accumulate& a) {
  require_dims("accumulate", "x", a.x, 1, {DType::kFloat32, DType::kFloat64});
  require_contiguous("accumulate", "y", a.y, a.x.shape, a.x.dtype);
  launch(ctx, &KernelTable::accumulate, a);
}

void copy_rows(Context& ctx, const CopyRows& a) {
  constexpr auto kName = "copy_rows";
  require_dims(kName, "x", a.x, 2, {a.x.dtype});
  require_dims(kName, "y", a.y, 2, {a.x.dtype});
  require(kName, "y", a.y, {a.y.size(0), a.x.size(1)}, a.x.dtype);
  const std::int64_t count = a.from.defined() ? a.from.size(0) : a.to.defined() ? a.to.size(0) : a.x.size(0);
  if (a.from.defined()) require(kName, "from", a.from, {count}, DType::kInt32);
  if (a.to.defined()) require(kName, "to", a.to, {count}, DType::kInt32);
  require_that(a.from.defined() || count <= a.x.size(0), kName, "x has fewer rows than to");
  require_that(a.to.defined() || count <= a.y.size(0), kName, "y has fewer rows than from, or than x");
  launch(ctx, &KernelTable::copy_rows, a);
}

}  // namespace weft::kernels
