#include <cmath>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/dropout_mask.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {
namespace {

template <class S>
struct Statistics {
  S mean, rstd;
};

template <class T>
Statistics<SumType<T>> statistics(const T* x, std::int64_t columns, double eps, bool centered) {
  using S = SumType<T>;
  S sum = 0, squares = 0;
  for (std::int64_t c = 0; c < columns; ++c) sum += load(x[c]);
  const S mean = centered ? sum / S(columns) : S(0);
  for (std::int64_t c = 0; c < columns; ++c) {  // two passes: E[x^2] - mean^2 cancels in fp32 when |mean| >> deviation
    squares += (load(x[c]) - mean) * (load(x[c]) - mean);
  }
  return {mean, 1 / std::sqrt(squares / S(columns) + S(eps))};
}

/// y, mean and rstd of row r, from z.
template <class T>
void normalize(const T* z, const NormForward& a, std::int64_t r) {
  using S = SumType<T>;
  const bool centered = a.mean.defined();
  const auto [mean, rstd] = statistics(z, a.x.size(1), a.eps, centered);
  if (centered) a.mean.as<S>()[r] = mean;
  a.rstd.as<S>()[r] = rstd;
  const T *weight = a.weight.as<T>(), *bias = centered ? a.bias.as<T>() : nullptr;
  T* y = row<T>(a.y, r);
  for (std::int64_t c = 0; c < a.x.size(1); ++c)
    y[c] = store<T>((load(z[c]) - mean) * rstd * load(weight[c]) + (centered ? load(bias[c]) : S(0)));
}

/// The gradient of a norm at one row: dz(c) once the two means over the row are known.
template <class T>
class RowGradient {
 public:
  using S = SumType<T>;
  RowGradient(const NormBackward& a, std::int64_t r)
      : dy_(row<T>(a.dy, r)), z_(row<T>(a.z, r)), weight_(a.weight.as<T>()), s_{S(0), a.rstd.as<S>()[r]} {
    const std::int64_t columns = a.z.size(1);
    if (a.mean.defined()) s_.mean = a.mean.as<S>()[r];
    for (std::int64_t c = 0; c < columns; ++c) {
      mean_g_ += g(c);
      mean_g_xhat_ += g(c) * xhat(c);
    }
    mean_g_ = a.mean.defined() ? mean_g_ / S(columns) : S(0);
    mean_g_xhat_ /= S(columns);
  }
  S xhat(std::int64_t c) const { return (load(z_[c]) - s_.mean) * s_.rstd; }
  S dz(std::int64_t c) const { return s_.rstd * (g(c) - mean_g_ - xhat(c) * mean_g_xhat_); }

 private:
  S g(std::int64_t c) const { return load(dy_[c]) * load(weight_[c]); }
  const T *dy_, *z_, *weight_;
  Statistics<S> s_;
  S mean_g_ = 0, mean_g_xhat_ = 0;
};

}  // namespace

void norm_forward(Context& ctx, const NormForward& a) {
  const Tensor z = a.residual.defined() ? a.z : a.x;
  if (a.residual.defined()) dropout(ctx, {.x = a.x, .residual = a.residual, .dropout = a.dropout, .y = z});
  with_floating(z.dtype, [&]<class T>(T) {
    for (std::int64_t r = 0; r < z.size(0); ++r) normalize(row<T>(z, r), a, r);
  });
}

void norm_backward(Context& ctx, const NormBackward& a) {
  const DropoutMask mask(ctx, a.dropout);
  with_floating(a.z.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    S *dweight = a.dweight.as<S>(), *dbias = a.dbias.defined() ? a.dbias.as<S>() : nullptr;
    for (std::int64_t r = 0; r < a.z.size(0); ++r) {
      const T* dy = row<T>(a.dy, r);
      const T* dz_add = a.dz_add.defined() ? row<T>(a.dz_add, r) : nullptr;
      const RowGradient<T> gradient(a, r);
      for (std::int64_t c = 0; c < a.z.size(1); ++c) {  // everything of a column is read before it is written: dz may be dy
        dweight[c] += load(dy[c]) * gradient.xhat(c);
        if (dbias != nullptr) dbias[c] += load(dy[c]);
        const S dz = gradient.dz(c) + (dz_add ? load(dz_add[c]) : S(0));
        row<T>(a.dz, r)[c] = store<T>(dz);
        if (a.dx.defined()) row<T>(a.dx, r)[c] = store<T>(dz * S(mask.factor(r, c)));
      }
    }
  });
}

}  // namespace weft::kernels::reference
