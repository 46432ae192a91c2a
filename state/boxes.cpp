#include "state/boxes.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

/// `inner` (one dim less) at index `row` of the first dim of `box`.
Box with_row(const Box& box, std::int64_t row, const Box& inner) {
  Box result = box;
  result.begin[0] = row;
  result.size[0] = 1;
  for (int d = 1; d < box.size.dims(); ++d) {
    result.begin[d] = inner.begin[d - 1];
    result.size[d] = inner.size[d - 1];
  }
  return result;
}

Box without_first_dim(const Box& box) {
  std::array<std::int64_t, kMaxDims> begin{}, size{};
  const auto dims = static_cast<std::size_t>(box.size.dims());
  for (std::size_t d = 1; d < dims; ++d) {
    begin[d - 1] = box.begin[static_cast<int>(d)];
    size[d - 1] = box.size[static_cast<int>(d)];
  }
  return {Shape(std::span<const std::int64_t>(begin.data(), dims - 1)), Shape(std::span<const std::int64_t>(size.data(), dims - 1))};
}

void append_part_of_row(std::vector<Box>& boxes, const Box& box, std::int64_t row, FlatRange inside) {
  for (const Box& inner : boxes_of_range(without_first_dim(box), inside.begin, inside.end)) {
    boxes.push_back(with_row(box, box.begin[0] + row, inner));
  }
}

}  // namespace

std::int64_t elements(const Box& box) {
  return box.size.elements();
}

std::string to_string(const Box& box) {
  std::string text;
  for (int d = 0; d < box.size.dims(); ++d) {
    text += fmt::format("{}[{}, {})", d > 0 ? " x " : "", box.begin[d], box.begin[d] + box.size[d]);
  }
  return text;
}

bool same_box(const Box& a, const Box& b) {
  return a.begin == b.begin && a.size == b.size;
}

Box whole_box(const Shape& shape) {
  Box box{shape, shape};
  for (int d = 0; d < shape.dims(); ++d) box.begin[d] = 0;
  return box;
}

bool is_whole(const Part& part) {
  return same_box(part.box, whole_box(part.shape));
}

std::optional<Box> intersection(const Box& a, const Box& b) {
  if (a.size.dims() != b.size.dims()) fail(fmt::format("boxes {} and {} have other dims", to_string(a), to_string(b)));
  Box shared = a;
  for (int d = 0; d < a.size.dims(); ++d) {
    const std::int64_t begin = std::max(a.begin[d], b.begin[d]);
    const std::int64_t end = std::min(a.begin[d] + a.size[d], b.begin[d] + b.size[d]);
    if (begin >= end) return std::nullopt;
    shared.begin[d] = begin;
    shared.size[d] = end - begin;
  }
  return shared;
}

std::vector<Box> boxes_of_range(const Box& box, std::int64_t begin, std::int64_t end) {
  if (begin < 0 || end > elements(box) || begin > end) fail(fmt::format("elements {} .. {} of box {}", begin, end, to_string(box)));
  if (begin == end) return {};
  const std::int64_t row_elements = elements(box) / box.size[0];
  Box rows = box;
  if (box.size.dims() == 1) {
    rows.begin[0] += begin;
    rows.size[0] = end - begin;
    return {rows};
  }
  std::vector<Box> boxes;
  std::int64_t row = begin / row_elements;
  if (const std::int64_t column = begin % row_elements; column != 0) {
    append_part_of_row(boxes, box, row, {column, std::min(row_elements, column + end - begin)});
    ++row;
  }
  if (const std::int64_t whole = end / row_elements - row; whole > 0) {
    rows.begin[0] += row;
    rows.size[0] = whole;
    boxes.push_back(rows);
    row += whole;
  }
  if (row * row_elements < end) append_part_of_row(boxes, box, row, {0, end - row * row_elements});
  return boxes;
}

std::vector<FlatPart> flat_parts(const ParameterSet& set) {
  std::vector<FlatPart> parts;
  for (const Parameter& parameter : set.parameters()) {
    if (!parameter.saved) continue;
    const std::int64_t columns =
        parameter.shape.dims() > 1 ? parameter.shape.elements() / std::max<std::int64_t>(parameter.shape[0], 1) : 1;
    for (const Part& part : parameter.parts) {
      const std::int64_t begin = parameter.offset + part.row * columns;
      parts.push_back({&part, {begin, begin + elements(part.box)}});
    }
  }
  std::sort(parts.begin(), parts.end(), [](const FlatPart& a, const FlatPart& b) { return a.range.begin < b.range.begin; });
  return parts;
}

void copy_overlap(const BoxCopy& copy) {
  const int last = copy.from.size.dims() - 1;
  const std::int64_t columns = copy.from.size[last];
  const std::int64_t count = static_cast<std::int64_t>(copy.run.size()) / copy.element_bytes;
  if (copy.first < 0 || copy.first + count > elements(copy.from)) fail(fmt::format("a run outside of box {}", to_string(copy.from)));
  if (static_cast<std::int64_t>(copy.out.size()) != elements(copy.to) * copy.element_bytes) fail("copy_overlap: out is not all of its box");
  for (std::int64_t element = copy.first; element < copy.first + count;) {
    const std::int64_t row_end = std::min(copy.first + count, (element / columns + 1) * columns);
    std::int64_t target = 0, stride = copy.to.size[last];  // of the row that `element` lies in, among the rows of `to`
    bool inside = true;
    for (std::int64_t rest = element / columns, d = last - 1; d >= 0; --d) {
      const int dim = static_cast<int>(d);
      const std::int64_t index = copy.from.begin[dim] + rest % copy.from.size[dim] - copy.to.begin[dim];
      inside = inside && index >= 0 && index < copy.to.size[dim];
      target += index * stride;
      stride *= copy.to.size[dim];
      rest /= copy.from.size[dim];
    }
    const std::int64_t first_column = copy.from.begin[last] + element % columns;  // in the whole tensor
    const std::int64_t begin = std::max(first_column, copy.to.begin[last]);
    const std::int64_t end = std::min(first_column + row_end - element, copy.to.begin[last] + copy.to.size[last]);
    if (inside && begin < end) {
      std::memcpy(copy.out.data() + (target + begin - copy.to.begin[last]) * copy.element_bytes,
                  copy.run.data() + (element - copy.first + begin - first_column) * copy.element_bytes,
                  static_cast<std::size_t>((end - begin) * copy.element_bytes));
    }
    element = row_end;
  }
}

}  // namespace weft
