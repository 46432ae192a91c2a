#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "parallel/control.h"
#include "parallel/lines.h"

namespace weft {

/// Lines are decoded together while more are waiting, at most this many for each rank.
inline constexpr std::size_t kLinesTogether = 2000;

/// What is asked about lines. Lines that stay together are an item: 2 for a source and its target.
struct LineQuestion {
  std::size_t lines_per_item = 1;
  /// Lines about items, in their order; the first item has this number, from 0 over all of the input.
  std::function<Lines(std::span<const std::string> lines, std::int64_t first_item)> answer;
};

/// Every rank has the lines and answers a contiguous share of them; rank 0 gets all answers in order, so they do not depend on the number
/// of ranks. A failure of any rank ends all of them.
Lines deal_lines(Control&, const Lines&, const LineQuestion&, std::int64_t first_item = 0);

/// The same for a stream, block by block: rank 0 alone reads, at most `most` items at a time and nothing at the end, and writes.
struct LineStream {
  std::function<Lines(std::size_t most)> read;
  std::function<void(const std::string& text)> write;
};
void deal_stream(Control&, const LineStream&, const LineQuestion&);

}  // namespace weft
