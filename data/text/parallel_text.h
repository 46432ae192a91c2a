#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/data_config.h"
#include "data/text/text_file.h"

namespace weft {

struct TextLine {
  std::string text;
  bool truncated = false;  // it was longer than kMaxLineBytes
};
struct TextPair {
  TextLine source, target;
  std::int64_t number = 0;  // of the line
};

/// One side of a parallel text: a whole file, or a column of a tab-separated one.
struct TextColumn {
  TextColumn(std::string name, int one_of_two = 0) : file(std::move(name)), column(one_of_two) {}
  std::string file;
  int column;  // 1 or 2; 0: the whole line
};
TextColumn column_of(const ParallelText&, Side);
/// The sides of several texts, one after another.
std::vector<TextColumn> columns_of(const std::vector<ParallelText>&, bool source, bool target);
/// "train.en, train.de", or "train.tsv".
std::string names_of(const ParallelText&);

/// Reads the lines of one side. A line of a tab-separated file without exactly one tab is an error that names file and line; a tab is a
/// tab, and quotes mean nothing.
class ColumnReader {
 public:
  explicit ColumnReader(const TextColumn&);
  bool next(std::string& line);

 private:
  LineReader reader_;
  int column_;
};

/// Reads the pairs of a parallel text, up to the end of the shorter side.
class PairReader {
 public:
  explicit PairReader(const ParallelText&);
  bool next(TextPair&);
  /// One warning for each file that had Windows line ends so far, with their number.
  std::vector<std::string> carriage_returns() const;

 private:
  LineReader first_;                    // the source, or the one file
  std::unique_ptr<LineReader> second_;  // the target of two files
  bool target_first_;
};

}  // namespace weft
