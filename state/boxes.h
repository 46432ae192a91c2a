#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layers/parameter.h"

namespace weft {

// Arithmetic of boxes: regions of a tensor, of 1 to 4 dims. A box's elements are counted row by row (the last dim fastest).

std::int64_t elements(const Box&);
std::string to_string(const Box&);  // [0, 16) x [8, 24)
bool same_box(const Box&, const Box&);
/// The box of a whole tensor.
Box whole_box(const Shape&);
/// Whether this rank holds all of a tensor: alone, or as every rank of tensor parallelism does (a norm).
bool is_whole(const Part&);
/// Empty when they share no element.
std::optional<Box> intersection(const Box&, const Box&);
/// The boxes that elements begin .. end of `box` make up, in order: of a matrix at most part of a row, rows, part of a row.
std::vector<Box> boxes_of_range(const Box& box, std::int64_t begin, std::int64_t end);

/// A part of the parameters as it lies in flat storage on this rank.
struct FlatPart {
  const Part* part;
  FlatRange range;
};
/// All saved parts, in the order of the flat storage.
std::vector<FlatPart> flat_parts(const ParameterSet&);

/// Copies from `run`, which holds the elements of `from` from number `first` on, what lies inside `to` into `out`, which holds all of `to`.
struct BoxCopy {
  const Box& from;
  std::int64_t first;
  std::span<const std::byte> run;
  const Box& to;
  std::span<std::byte> out;
  std::int64_t element_bytes;
};
void copy_overlap(const BoxCopy&);

}  // namespace weft
