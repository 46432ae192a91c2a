#include "data/text/text_sample.h"

#include <algorithm>
#include <string_view>

#include "data/text/utf8.h"

namespace weft {
namespace {

constexpr std::uint64_t kBillion = 1'000'000'000;

std::uint64_t share(std::int64_t limit, std::int64_t amount) {
  return amount <= limit ? kBillion : static_cast<std::uint64_t>(static_cast<double>(limit) / static_cast<double>(amount) * 1e9);
}

}  // namespace

TextSample::TextSample(const std::vector<TextColumn>& columns, const SampleLimits& limits)
    : columns_(columns), key_(random_key(1, "vocabulary sample")), repairs_(limits.invalid_utf8 == InvalidUtf8::kReplace) {
  std::int64_t bytes = 0;
  for (const TextColumn& column : columns) {
    ColumnReader reader(column);
    for (std::string line; reader.next(line); ++lines_) bytes += static_cast<std::int64_t>(line.size());
  }
  kept_of_billion_ = std::min(share(limits.lines, lines_), share(limits.bytes, bytes));
}

bool TextSample::next(std::string& line) {
  while (read_line(line)) {
    const auto number = static_cast<std::uint64_t>(at_++);
    if (kept_of_billion_ < kBillion && random_below(key_, number, kBillion) >= kept_of_billion_) continue;
    if (line.empty()) continue;
    if (find_invalid_utf8(line) == std::string_view::npos) return true;
    if (!repairs_) continue;
    line = repair_utf8(line);
    return true;
  }
  return false;
}

bool TextSample::read_line(std::string& line) {
  while (true) {
    if (reader_ != nullptr && reader_->next(line)) return true;
    if (next_column_ == columns_.size()) return false;
    reader_ = std::make_unique<ColumnReader>(columns_[next_column_++]);
  }
}

}  // namespace weft
