#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft {

/// A file that appears under its name only when it is whole: written as .tmp-NAME beside it, flushed to disk, renamed. Without `commit`
/// nothing remains. Failing calls are errors with exit code 79 that name the file.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void append(const void* data, std::int64_t bytes);
  /// Replaces bytes that were appended before.
  void overwrite(std::int64_t at, const void* data, std::int64_t bytes);
  std::int64_t size() const { return size_; }
  void commit();

 private:
  [[noreturn]] void fail_call(std::string_view call) const;
  std::string path_, temporary_;
  int file_ = -1;
  std::int64_t size_ = 0;
};

/// Replaces `to`; durable when it returns. Fails as OutputFile does.
void rename_file(const std::string& from, const std::string& to);

/// All at once.
void write_file(const std::string& path, std::string_view content);

}  // namespace weft
