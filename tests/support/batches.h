#pragma once
#include <vector>

#include "runtime/rows.h"
#include "tests/support/test_context.h"

namespace weft::test {

using Sequences = std::vector<std::vector<std::int32_t>>;

/// One side of a micro-batch. Sequence b is sample first_sample + b.
Rows make_rows(TestContext&, const Sequences&, std::int32_t first_sample = 0);
/// Rows of these lengths whose tokens do not matter (attention).
Rows make_rows_of_lengths(TestContext&, const std::vector<std::int32_t>& lengths);
/// labels are those of all target rows; -100, which other frameworks ignore, becomes label 0 with weight 0.
Batch make_batch(TestContext&, const Sequences& sources, const Sequences& targets, const std::vector<std::int32_t>& labels);
/// `lengths` random sources and targets (bos 1 first, eos 2 last, ids below vocab_size), labels shifted.
struct RandomBatch {
  std::vector<std::int32_t> source_lengths, target_lengths;
  std::int32_t vocab_size = 0;
  std::uint64_t seed = 1;
};
Batch make_random_batch(TestContext&, const RandomBatch&);

/// A batch of the same sizes whose tensors are addresses of another device, never touched: for the dry device.
Batch batch_like(const Batch&, Device&, std::vector<Memory>& memory);

}  // namespace weft::test
