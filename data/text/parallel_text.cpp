#include "data/text/parallel_text.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

/// Both columns of the line that was read last. A line that was cut may have lost its tab: its second column is empty then.
std::pair<std::string_view, std::string_view> split(std::string_view line, const LineReader& reader) {
  const auto tabs = std::count(line.begin(), line.end(), '\t');
  if (tabs != 1 && !reader.truncated()) {
    const bool returns = line.find('\r') != std::string_view::npos;
    fail_input(fmt::format("{}:{}: {} column{}{}\n  expected  2 columns, which is one tab in a line", reader.path(), reader.number(),
                           tabs + 1, tabs == 0 ? "" : "s", returns ? ", and CR inside the line, which ends no line" : ""));
  }
  const std::size_t tab = std::min(line.find('\t'), line.size());
  return {line.substr(0, tab), line.substr(std::min(tab + 1, line.size()))};
}

}  // namespace

TextColumn column_of(const ParallelText& text, Side side) {
  const bool source = side == Side::kSource;
  if (text.file.empty()) return {source ? text.src : text.tgt};
  return {text.file, source == text.target_first ? 2 : 1};
}

std::vector<TextColumn> columns_of(const std::vector<ParallelText>& texts, bool source, bool target) {
  std::vector<TextColumn> columns;
  for (const ParallelText& text : texts) {
    if (source) columns.push_back(column_of(text, Side::kSource));
    if (target) columns.push_back(column_of(text, Side::kTarget));
  }
  return columns;
}

std::string names_of(const ParallelText& text) {
  return text.file.empty() ? text.src + ", " + text.tgt : text.file;
}

ColumnReader::ColumnReader(const TextColumn& column) : reader_(column.file), column_(column.column) {}

bool ColumnReader::next(std::string& line) {
  if (!reader_.next(line)) return false;
  if (column_ == 0) return true;
  const auto [first, second] = split(line, reader_);
  line = std::string(column_ == 1 ? first : second);
  return true;
}

PairReader::PairReader(const ParallelText& text)
    : first_(text.file.empty() ? text.src : text.file),
      second_(text.file.empty() ? std::make_unique<LineReader>(text.tgt) : nullptr),
      target_first_(text.target_first) {}

bool PairReader::next(TextPair& pair) {
  if (!first_.next(pair.source.text)) return false;
  pair.number = first_.number();
  pair.source.truncated = pair.target.truncated = first_.truncated();
  if (second_ == nullptr) {
    const auto [first, second] = split(pair.source.text, first_);
    pair.target.text = std::string(second);
    pair.source.text.resize(first.size());
    if (target_first_) std::swap(pair.source.text, pair.target.text);
    return true;
  }
  if (!second_->next(pair.target.text)) return false;
  pair.target.truncated = second_->truncated();
  return true;
}

std::vector<std::string> PairReader::carriage_returns() const {
  std::vector<std::string> warnings;
  for (const LineReader* reader : {&first_, static_cast<const LineReader*>(second_.get())}) {
    if (reader == nullptr || reader->carriage_returns() == 0) continue;
    warnings.push_back(fmt::format("{}: {} of {} lines end in CR LF, as on Windows; the CR is removed", reader->path(),
                                   reader->carriage_returns(), reader->number()));
  }
  return warnings;
}

}  // namespace weft
