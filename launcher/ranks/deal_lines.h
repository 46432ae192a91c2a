#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "parallel/control.h"

namespace weft {

/// Lines are decoded together while more are waiting, at most so many a rank.
inline constexpr std::size_t kLinesTogether = 2000;

/// Work on lines that the ranks share. Rank 0 alone reads and writes, so the output does not depend on the number of ranks.
struct LineWork {
  std::function<std::vector<std::string>(std::size_t most)> read;  // rank 0: the next lines, at most so many; empty: the end
  std::size_t lines_per_item = 1;                                  // lines that stay together: 2 for a source and its target
  /// What is to be said about items; the first has this number, from 0 over all of the input.
  std::function<std::string(std::span<const std::string> lines, std::int64_t first_item)> answer;
  std::function<void(const std::string&)> write;  // rank 0: the answers of a block, in the order of its lines
};

/// Block by block: rank 0 reads, every rank answers a contiguous share, rank 0 writes. A failure of any rank ends all of them.
void deal_lines(Control&, const LineWork&);

}  // namespace weft
