#pragma once
#include <cstdint>
#include <vector>

#include "data/batch_sampler.h"

namespace weft {

/// What one rank computes in one pass; in the order of `number`. May be empty.
using BatchPart = std::vector<Sample>;

/// Deals an update into dp x passes parts, the fewest passes in which no part has more than `micro_batch_rows` tokens on either side, and
/// returns the parts of one rank, one a pass: every rank has equally many. Parts are balanced by their cost, tokens and pairs of tokens
/// that attend to each other, longest sentence first onto the lightest part; all integers, so every rank deals alike. A sentence longer
/// than micro_batch_rows is an error that names it.
std::vector<BatchPart> share(const Update&, int dp_rank, int dp, std::int64_t micro_batch_rows);

/// The whole data set, sorted by length, cut so that no part has more than `micro_batch_rows` tokens on either side: for validation.
/// Numbers count within the part.
std::vector<BatchPart> parts_in_length_order(const Dataset&, std::int64_t micro_batch_rows);

}  // namespace weft
