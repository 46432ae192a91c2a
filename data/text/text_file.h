#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Longer lines are cut: no sentence is that long, and a file without line ends must not fill the memory.
inline constexpr std::int64_t kMaxLineBytes = std::int64_t{1} << 20;

/// Reads a text file, plain or gzip (told apart by content), line by line. A line ends in LF and in nothing else: CR, U+2028 and U+0085
/// stay inside. One CR before the LF, the line end of Windows, is removed and counted. A byte order mark at the beginning of the file is
/// removed. A missing LF at the end of the file is fine. What require_text_file refuses and broken gzip data are errors that name the file.
class LineReader {
 public:
  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line without its end; false at the end of the file.
  bool next(std::string& line);
  /// Whether the last line was longer than kMaxLineBytes; `line` then holds its beginning.
  bool truncated() const { return truncated_; }
  /// How many lines so far ended in a CR that was removed.
  std::int64_t carriage_returns() const { return carriage_returns_; }
  /// Number of the last line, from 1.
  std::int64_t number() const { return number_; }
  const std::string& path() const { return path_; }

 private:
  bool fill();
  void require_whole() const;

  struct Gzip;
  std::string path_;
  std::unique_ptr<Gzip> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::int64_t number_ = 0, carriage_returns_ = 0;
  bool truncated_ = false;
};

/// Fails with exit 64 unless the path names a file. A pipe or a device will not do, since text is read more than once.
void require_text_file(const std::string& path);

/// All bytes of a file as they are.
std::string read_whole_file(const std::string& path);

}  // namespace weft
