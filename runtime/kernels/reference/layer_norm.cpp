#include <cmath>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/dropout_mask.h"
#include "runtime/kernels/reference/kernels.h"

namespace weft::kernels::reference {
namespace {

template <class S>
struct Statistics {
  S mean, rstd;
};

template <class T>
Statistics<SumType<T>> statistics(const T* x, std::int64_t columns, double eps) {
  using S = SumType<T>;
  S sum = 0, squares = 0;
  for (std::int64_t c = 0; c < columns; ++c) sum += load(x[c]);
  const S mean = sum / S(columns);
  for (std::int64_t c = 0; c < columns; ++c) {  // two passes: E[x^2] - mean^2 cancels in fp32 when |mean| >> deviation
    squares += (load(x[c]) - mean) * (load(x[c]) - mean);
  }
  return {mean, 1 / std::sqrt(squares / S(columns) + S(eps))};
}

template <class T>
void normalize(const T* x, const LayerNormForward& a, std::int64_t r) {
  using S = SumType<T>;
  const auto [mean, rstd] = statistics(x, a.x.size(1), a.eps);
  a.mean.as<S>()[r] = mean;
  a.rstd.as<S>()[r] = rstd;
  const T *weight = a.weight.as<T>(), *bias = a.bias.as<T>();
  T* y = row<T>(a.y, r);
  for (std::int64_t c = 0; c < a.x.size(1); ++c) y[c] = store<T>((load(x[c]) - mean) * rstd * load(weight[c]) + load(bias[c]));
}

/// The gradient of a norm at one row: dx(c) once the two means over the row are known.
template <class T>
class RowGradient {
 public:
  using S = SumType<T>;
  RowGradient(const T* dy, const T* x, const T* weight, Statistics<S> s, std::int64_t columns) : dy_(dy), x_(x), weight_(weight), s_(s) {
    for (std::int64_t c = 0; c < columns; ++c) {
      mean_g_ += g(c);
      mean_g_xhat_ += g(c) * xhat(c);
    }
    mean_g_ /= S(columns);
    mean_g_xhat_ /= S(columns);
  }
  S xhat(std::int64_t c) const { return (load(x_[c]) - s_.mean) * s_.rstd; }
  S dx(std::int64_t c) const { return s_.rstd * (g(c) - mean_g_ - xhat(c) * mean_g_xhat_); }

 private:
  S g(std::int64_t c) const { return load(dy_[c]) * load(weight_[c]); }
  const T *dy_, *x_, *weight_;
  Statistics<S> s_;
  S mean_g_ = 0, mean_g_xhat_ = 0;
};

}  // namespace

void layer_norm_forward(Context&, const LayerNormForward& a) {
  with_floating(a.x.dtype, [&]<class T>(T) {
    for (std::int64_t r = 0; r < a.x.size(0); ++r) normalize(row<T>(a.x, r), a, r);
  });
}

void residual_norm_forward(Context& ctx, const ResidualNormForward& a) {
  residual_forward(ctx, {.x = a.x, .residual = a.residual, .dropout = a.dropout, .y = a.z});
  // The statistics are those of z as it is stored, since backward meets it so.
  layer_norm_forward(ctx, {.x = a.z, .weight = a.weight, .bias = a.bias, .eps = a.eps, .y = a.y, .mean = a.mean, .rstd = a.rstd});
}

void residual_norm_backward(Context& ctx, const ResidualNormBackward& a) {
  const DropoutMask mask(ctx, a.dropout);
  with_floating(a.z.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    S *dweight = a.dweight.as<S>(), *dbias = a.dbias.as<S>();
    for (std::int64_t r = 0; r < a.z.size(0); ++r) {
      const T* dy = row<T>(a.dy, r);
      const T* dz_add = a.dz_add.defined() ? row<T>(a.dz_add, r) : nullptr;
      const Statistics<S> s{a.mean.as<S>()[r], a.rstd.as<S>()[r]};
      const RowGradient<T> gradient(dy, row<T>(a.z, r), a.weight.as<T>(), s, a.z.size(1));
      for (std::int64_t c = 0; c < a.z.size(1); ++c) {  // everything of a column is read before it is written: dresidual may be dy
        dweight[c] += load(dy[c]) * gradient.xhat(c);
        dbias[c] += load(dy[c]);
        const S dz = gradient.dx(c) + (dz_add ? load(dz_add[c]) : S(0));
        row<T>(a.dresidual, r)[c] = store<T>(dz);
        if (a.dx.defined()) row<T>(a.dx, r)[c] = store<T>(dz * S(mask.factor(r, c)));
      }
    }
  });
}

void layer_norm_backward(Context& ctx, const LayerNormBackward& a) {
  residual_norm_backward(ctx, {.dy = a.dy,
                               .z = a.x,
                               .weight = a.weight,
                               .mean = a.mean,
                               .rstd = a.rstd,
                               .dz_add = a.dx_add,
                               .dropout = {},
                               .dresidual = a.dx,
                               .dx = {},
                               .dweight = a.dweight,
                               .dbias = a.dbias});
}

}  // namespace weft::kernels::reference
