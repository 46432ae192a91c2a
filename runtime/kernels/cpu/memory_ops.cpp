#include <algorithm>
#include <cstring>

#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

/// Elements begin .. of a contiguous tensor, as so many rows.
Matrix part_of(const Tensor& tensor, std::int64_t begin, std::int64_t rows, std::int64_t columns) {
  return {storage_of(tensor), tensor.data + begin * size_of(tensor.dtype), rows, columns, columns};
}

template <const Isa& isa>
void convert(Context& ctx, const kernels::Convert& a) {
  const bool flat = a.x.contiguous() && a.y.contiguous();
  if (!is_fast(a.x.dtype) || !is_fast(a.y.dtype) || !(flat || a.x.dims() == 2)) return reference_kernels().convert.run(ctx, a);
  if (!flat) return isa.convert({matrix_of(a.x), matrix_of(a.y)});
  constexpr std::int64_t kColumns = 4096;  // cut into rows of so many elements, and what is left
  const std::int64_t rows = a.x.elements() / kColumns, done = rows * kColumns, rest = a.x.elements() - done;
  isa.convert({part_of(a.x, 0, rows, kColumns), part_of(a.y, 0, rows, kColumns)});
  isa.convert({part_of(a.x, done, 1, rest), part_of(a.y, done, 1, rest)});
}

/// Memory moves at the same speed whatever is compiled for it: cut over threads in pieces.
template <class F>
void for_pieces(std::int64_t bytes, F&& f) {
  constexpr std::int64_t kPiece = 1 << 16;
  const std::int64_t pieces = (bytes + kPiece - 1) / kPiece;
#pragma omp parallel for schedule(static) if (pieces > 1)
  for (std::int64_t piece = 0; piece < pieces; ++piece) f(piece * kPiece, std::min(kPiece, bytes - piece * kPiece));
}

void fill_zero(Context&, const kernels::FillZero& a) {
  for_pieces(a.y.bytes(),
             [&](std::int64_t begin, std::int64_t bytes) { std::memset(a.y.data + begin, 0, static_cast<std::size_t>(bytes)); });
}

void exchange(Context&, const kernels::Exchange& a) {
  for_pieces(a.a.bytes(), [&](std::int64_t begin, std::int64_t bytes) {
    std::swap_ranges(a.a.data + begin, a.a.data + begin + bytes, a.b.data + begin);
  });
}

template <class Real>
void add(const std::byte* x, std::byte* y, std::int64_t bytes) {
  const auto* from = reinterpret_cast<const Real*>(x);
  auto* to = reinterpret_cast<Real*>(y);
#pragma omp simd
  for (std::int64_t i = 0; i < bytes / static_cast<std::int64_t>(sizeof(Real)); ++i) to[i] += from[i];
}

void accumulate(Context&, const kernels::Accumulate& a) {
  for_pieces(a.x.bytes(), [&](std::int64_t begin, std::int64_t bytes) {
    (a.x.dtype == DType::kFloat64 ? add<double> : add<float>)(a.x.data + begin, a.y.data + begin, bytes);
  });
}

void copy_rows(Context&, const kernels::CopyRows& a) {
  const std::int64_t rows = a.from.defined() ? a.from.size(0) : a.to.defined() ? a.to.size(0) : a.x.size(0), element = size_of(a.x.dtype);
  const auto* from = pointer<std::int32_t>(a.from);
  const auto* to = pointer<std::int32_t>(a.to);
  const auto bytes = static_cast<std::size_t>(a.x.size(1) * element);
#pragma omp parallel for schedule(static) if (rows * a.x.size(1) > 8192)
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t source = from != nullptr ? from[i] : i, target = to != nullptr ? to[i] : i;
    std::memcpy(a.y.data + target * a.y.stride(0) * element, a.x.data + source * a.x.stride(0) * element, bytes);
  }
}

}  // namespace

template <const Isa& isa>
void install_memory_ops(KernelTable& table) {
  table.convert = {convert<isa>};
  table.fill_zero = {fill_zero};
  table.exchange = {exchange};
  table.accumulate = {accumulate};
  table.copy_rows = {copy_rows};
}

template void install_memory_ops<avx2::isa>(KernelTable&);
template void install_memory_ops<avx512::isa>(KernelTable&);

}  // namespace weft::cpu
