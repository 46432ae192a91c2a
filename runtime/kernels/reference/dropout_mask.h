#pragma once
#include <cstdint>

#include "runtime/kernels/dropout.h"
#include "runtime/step_state.h"

namespace weft::kernels::reference {

/// What the elements of a row are multiplied by: 0, or 1 / (1 - p); 1 where nothing is dropped (runtime/random.h has the rule).
class DropoutMask {
 public:
  DropoutMask(const Context& ctx, const RowDropout& dropout)
      : drops_(drops(ctx, dropout)),
        site_(dropout.site),
        sample_(dropout.sample),
        positions_(dropout.positions),
        first_column_(dropout.first_column) {
    if (drops_) step_ = static_cast<std::uint32_t>(ctx.step_state.as<double>()[StepState::kStep]);
  }

  double factor(std::int64_t row, std::int64_t column_of_piece) const {
    if (!drops_) return 1;
    const std::int64_t column = first_column_ + column_of_piece;
    const auto sample = static_cast<std::uint32_t>(sample_.as<std::int32_t>()[row]);
    const auto position = static_cast<std::uint32_t>(positions_.as<std::int32_t>()[row]);
    const RandomCounter words = philox(site_.key, {step_, sample, position, static_cast<std::uint32_t>(column / 4)});
    return words[static_cast<std::size_t>(column % 4)] >= site_.threshold() ? site_.scale() : 0;
  }

 private:
  bool drops_;
  Dropout site_;
  Tensor sample_, positions_;
  std::int64_t first_column_;
  std::uint32_t step_ = 0;
};

}  // namespace weft::kernels::reference
