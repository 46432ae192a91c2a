#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// For the start of the program: a standard stream that the caller closed gets a descriptor on which reads and writes fail, so that no file
/// opened later gets its number and is read as input or overwritten with results.
void open_missing_streams();

/// Lines of a descriptor, many at once while more are waiting: a pipe is answered whenever it pauses, a file in large blocks. A line ends
/// in LF and in nothing else; one CR before it, the line end of Windows, is removed. Of a line longer than kMaxLineBytes the
/// beginning is kept.
class LineInput {
 public:
  explicit LineInput(int descriptor) : descriptor_(descriptor) {}

  /// The next lines, 1 to `most`: waits for the first. Empty at the end of the input. A descriptor that cannot be read is an error.
  std::vector<std::string> take(std::size_t most);

 private:
  bool more_waits() const;
  bool fill();
  void split(std::vector<std::string>& lines, std::size_t most);
  void take_line(std::vector<std::string>& lines);

  int descriptor_;
  std::string buffer_;  // read and not yet split, from begin_ on
  std::size_t begin_ = 0;
  std::string line_;  // the beginning of a line whose end was not read yet
  bool inside_line_ = false;
  bool first_ = true;
  bool ended_ = false;
};

/// Writes to stdout and flushes. When the reader has gone away (EPIPE, where SIGPIPE is ignored) the error has no message.
void write_stdout(std::string_view);
/// Flushes what was printed to stdout; fails in the same way.
void flush_stdout();

}  // namespace weft
