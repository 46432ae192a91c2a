#include <omp.h>

#include "runtime/kernels/cpu/isa/gemm_pack.h"
#include "runtime/kernels/cpu/isa/kernels.h"

// A float32 product whose elements are summed in one order of k, cut at multiples of kDepth, for any number of rows and threads. The
// blocking is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): a panel of b (kDepth x kPanel) in
// the first cache, a block of a (kBlockRows x kDepth) in the second, a block of b (kDepth x kBlockColumns) in the third.
namespace weft::cpu::WEFT_ISA {
namespace {

constexpr std::int64_t kDepth = 512, kBlockRows = std::int64_t{8} * kTileRows, kBlockColumns = 1024;
constexpr std::int64_t kParallelFlops = 1 << 21;  // about 20 microseconds: below that a second thread costs more than it brings

struct Range {
  std::int64_t begin, end;
};
Range share(std::int64_t count, std::int64_t index, std::int64_t of) {
  return {count * index / of, count * (index + 1) / of};
}

std::int64_t round_up(std::int64_t size, std::int64_t to) {
  return ceil_div(size, to) * to;
}

/// Columns first_n .. + columns of y, summed over rows first_k .. + depth of b.
struct Block {
  std::int64_t first_n, columns, first_k, depth;
  const float* b;  // its panels
  std::int64_t b_panel;
};

Finish finish_of(const Gemm& g, const Block& block) {
  const bool last = block.first_k + block.depth == g.k;
  return {.add = g.accumulate || block.first_k > 0, .bias = last ? g.bias : nullptr, .relu = last && g.relu};
}

/// `rows` rows from first_m on, panels begin .. end of the block. `packed_a`: their part of a transposed a, or null.
void compute_rows(const Gemm& g, const Block& block, std::int64_t first_m, std::int64_t rows, Range panels, const float* packed_a) {
  const Finish finish = finish_of(g, block);
  for (std::int64_t panel = panels.begin; panel < panels.end;) {
    const std::int64_t at_once = panels_at_once(rows), together = panel + at_once <= panels.end ? at_once : 1;
    const std::int64_t n = panel * kPanel, column = block.first_n + n;
    for (std::int64_t m = 0; m < rows; m += kTileRows) {
      const Tile tile{.depth = block.depth,
                      .a = packed_a != nullptr ? packed_a + m * block.depth : g.a + (first_m + m) * g.a_stride + block.first_k,
                      .a_row = packed_a != nullptr ? 1 : g.a_stride,
                      .a_column = packed_a != nullptr ? kTileRows : 1,
                      .b = block.b + panel * block.b_panel,
                      .b_panel = block.b_panel,
                      .y = g.y + (first_m + m) * g.y_stride + column,
                      .y_row = g.y_stride,
                      .columns = min(block.columns - n, together * kPanel),
                      .finish = {finish.add, finish.bias == nullptr ? nullptr : finish.bias + column, finish.relu}};
      compute_tile<kTileRows>(min(kTileRows, rows - m), together, tile);
    }
    panel += together;
  }
}

void compute_block(const Gemm& g, const Block& block, Range tiles, Range panels, float* buffer) {
  const std::int64_t end = min(g.m, tiles.end * kTileRows);
  for (std::int64_t m = tiles.begin * kTileRows; m < end; m += kBlockRows) {
    const std::int64_t rows = min(kBlockRows, end - m);
    if (g.transpose_a) pack_transposed(g, block.first_k, block.depth, m, rows, buffer);
    compute_rows(g, block, m, rows, panels, g.transpose_a ? buffer : nullptr);
  }
}

std::int64_t floats_of_b(const Gemm& g) {
  return g.packed_b != nullptr ? 0 : min(kDepth, g.k) * min(kBlockColumns, round_up(g.n, kPanel));
}
std::int64_t floats_of_a(const Gemm& g) {
  return g.transpose_a ? packed_transposed_floats(min(kDepth, g.k), min(kBlockRows, g.m)) : 0;
}

/// What one thread of `threads` does. Threads share the rows of y where there are enough, else its columns.
void work(const Gemm& g, int thread, int threads) {
  const std::int64_t tiles = ceil_div(g.m, kTileRows);
  const bool by_rows = tiles >= std::int64_t{2} * threads;
  const RightFactor<float> b{g.b, g.transpose_b, g.b_stride};
  float *packed = g.workspace, *buffer = g.workspace + floats_of_b(g) + thread * floats_of_a(g);
  for (std::int64_t n = 0; n < g.n; n += kBlockColumns) {
    const std::int64_t columns = min(kBlockColumns, g.n - n), panels = ceil_div(columns, kPanel);
    const Range own_panels = share(panels, thread, threads);
    for (std::int64_t k = 0; k < g.k; k += kDepth) {
      const std::int64_t depth = min(kDepth, g.k - k);
      Block block{.first_n = n, .columns = columns, .first_k = k, .depth = depth, .b = packed, .b_panel = depth * kPanel};
      if (g.packed_b != nullptr) {
        block.b = g.packed_b + n * g.k + k * kPanel;
        block.b_panel = g.k * kPanel;
      } else {
#pragma omp barrier  // everybody has read the block before
        for (std::int64_t p = own_panels.begin; p < own_panels.end; ++p) {
          pack_panel(b, k, depth, n + p * kPanel, min(kPanel, columns - p * kPanel), packed + p * block.b_panel);
        }
#pragma omp barrier
      }
      compute_block(g, block, by_rows ? share(tiles, thread, threads) : Range{0, tiles}, by_rows ? Range{0, panels} : own_panels, buffer);
    }
  }
}

template <class S>
void pack_whole(const PackGemm& p) {
  const RightFactor<S> b{at<S>(p.b.data, 0), p.transpose_b, p.b.stride};
  const std::int64_t columns = p.transpose_b ? p.b.rows : p.b.columns, depth = p.transpose_b ? p.b.columns : p.b.rows;
#pragma omp parallel for schedule(static) if (columns * depth > kParallelElements)
  for (std::int64_t n = 0; n < columns; n += kPanel) pack_panel(b, 0, depth, n, min(kPanel, columns - n), p.packed + n * depth);
}

}  // namespace

void gemm(const Gemm& g) {
  // All threads or one: OpenMP allocates whenever their number changes.
#pragma omp parallel if (2 * g.m * g.n * g.k > kParallelFlops)
  work(g, omp_get_thread_num(), omp_get_num_threads());
}

std::int64_t gemm_floats(const Gemm& g) {
  return floats_of_b(g) + g.threads * floats_of_a(g);
}

std::int64_t pack_gemm_floats(std::int64_t n, std::int64_t k) {
  return round_up(n, kPanel) * k;
}

void pack_gemm(const PackGemm& p) {
  if (p.b.storage == Storage::kBFloat16) {
    pack_whole<bf16>(p);
  } else {
    pack_whole<float>(p);
  }
}

}  // namespace weft::cpu::WEFT_ISA
