#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/kernels/table.h"
#include "runtime/step_state.h"

namespace weft::test {

/// The reference with one entry that is wrong in a way that happens: a sign, a scale, a mask left out, an index off by one, a flag ignored.
struct BrokenTable {
  std::string what;
  KernelTable kernels;
};
using Tables = std::vector<BrokenTable>;

/// At least one for every entry of the table.
Tables broken_tables();

void break_matmul(Tables&);  // and bias_gradient
void break_rows(Tables&);    // activation, dropout, residual
void break_norms(Tables&);
void break_embedding(Tables&);
void break_attention(Tables&);
void break_cross_entropy(Tables&);
void break_optimizer(Tables&);
void break_memory(Tables&);

// What they are written with.

inline const KernelTable& right() {
  return reference_kernels();
}

template <class Entry>
void add_entry(Tables& tables, std::string what, Entry KernelTable::*entry, std::type_identity_t<Entry> wrong) {
  tables.push_back({std::move(what), right()});
  tables.back().kernels.*entry = wrong;
}
template <class Arguments>
void add(Tables& tables, std::string what, Kernel<Arguments> KernelTable::*entry,
         std::type_identity_t<decltype(Kernel<Arguments>::run)> wrong) {
  add_entry(tables, std::move(what), entry, {wrong, (right().*entry).workspace});
}
template <class Arguments>
void add_workspace(Tables& tables, std::string what, Kernel<Arguments> KernelTable::*entry,
                   std::type_identity_t<decltype(Kernel<Arguments>::workspace)> wrong) {
  add_entry(tables, std::move(what), entry, {(right().*entry).run, wrong});
}

/// Multiplies every element of a floating tensor; rows may be strided.
void multiply(const Tensor&, float factor);

/// All rows but the last.
inline Tensor but_last(const Tensor& x) {
  return x.size(0) > 1 ? x.rows(0, x.size(0) - 1) : x;
}

/// A copy of an int32 tensor with every number changed.
class Changed {
 public:
  template <class Change>
  Changed(const Tensor& ints, Change change) : numbers_(ints.span<std::int32_t>().begin(), ints.span<std::int32_t>().end()) {
    for (std::int32_t& number : numbers_) number = static_cast<std::int32_t>(change(number));
  }
  Tensor tensor() { return Tensor(numbers_.data(), {static_cast<std::int64_t>(numbers_.size())}, DType::kInt32); }

 private:
  std::vector<std::int32_t> numbers_;
};

/// The context with one field of the step state changed; what a kernel writes into the state is lost.
class OtherState {
 public:
  OtherState(Context& ctx, StepState::Field field, double value)
      : context_{ctx.device, ctx.stream, ctx.memory, Tensor(state_.data(), {StepState::kFields}, DType::kFloat64), ctx.training} {
    std::copy_n(ctx.step_state.as<double>(), state_.size(), state_.begin());
    state_[field] = value;
  }
  Context& context() { return context_; }

 private:
  std::array<double, StepState::kFields> state_{};
  Context context_;
};

}  // namespace weft::test
