#include "data/text/text_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <zlib.h>

#include "data/text/utf8.h"
#include "runtime/error.h"

namespace weft {

struct LineReader::Gzip {
  explicit Gzip(gzFile opened) : handle(opened) {}
  ~Gzip() { gzclose_r(handle); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  gzFile handle;
};

void require_text_file(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) fail_input(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  if (S_ISDIR(info.st_mode)) fail_input(fmt::format("{}: is a directory, expected a text file", path));
  if (!S_ISREG(info.st_mode)) {
    fail_input(fmt::format("{}: is a pipe or a device, which can be read only once; expected a text file (gzip is read as it is)", path));
  }
}

namespace {

/// gzip is read as it is; what other packers write would be garbage.
void refuse_packed(const std::string& path) {
  using namespace std::string_view_literals;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kFormats{{{"xz",
                                                                                    "\xFD"
                                                                                    "7zXZ"sv},
                                                                                   {"bzip2", "BZh"sv},
                                                                                   {"zstd", "\x28\xB5\x2F\xFD"sv},
                                                                                   {"zip", "PK\x03\x04"sv}}};
  std::string begin(8, '\0');
  std::ifstream(path, std::ios::binary).read(begin.data(), static_cast<std::streamsize>(begin.size()));
  for (const auto& [name, magic] : kFormats) {
    if (begin.starts_with(magic)) fail_input(fmt::format("{}: a file packed by {}\n  expected  plain text or gzip", path, name));
  }
}

}  // namespace

LineReader::LineReader(const std::string& path) : path_(path), buffer_(std::size_t{1} << 18) {
  require_text_file(path);
  refuse_packed(path);
  gzFile opened = gzopen(path.c_str(), "rb");
  if (opened == nullptr) fail_input(fmt::format("{}: cannot be opened: {}", path, std::strerror(errno)));
  file_ = std::make_unique<Gzip>(opened);
}

LineReader::~LineReader() = default;

bool LineReader::fill() {
  const int got = gzread(file_->handle, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int code = Z_OK;
  const char* reason = gzerror(file_->handle, &code);
  // The end inside a gzip stream is reported as Z_BUF_ERROR, beside the bytes that were still there.
  if (got < 0 || code == Z_BUF_ERROR) {
    fail_input(fmt::format("{}: cannot be read after line {}: {}", path_, number_, code == Z_ERRNO ? std::strerror(errno) : reason));
  }
  if (got == 0) require_whole();
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  return got > 0;
}

/// zlib ignores what follows a gzip stream and is not gzip: it treats the end of the stream as the end of the file. It has read ahead by
/// its buffer, so a short rest passes.
void LineReader::require_whole() const {
  if (gzdirect(file_->handle) != 0) return;
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path_, error);
  const std::int64_t read = gzoffset(file_->handle);
  if (error || read < 0 || static_cast<std::uintmax_t>(read) >= bytes) return;
  fail_input(fmt::format("{}: the gzip data end after line {}, at byte {} of {}\n  expected  gzip to the end of the file", path_, number_,
                         read, bytes));
}

bool LineReader::next(std::string& line) {
  line.clear();
  truncated_ = false;
  bool any = false;
  while (begin_ < end_ || fill()) {
    any = true;
    const char* from = buffer_.data() + begin_;
    const auto* lf = static_cast<const char*>(std::memchr(from, '\n', end_ - begin_));
    const std::size_t length = lf != nullptr ? static_cast<std::size_t>(lf - from) : end_ - begin_;
    const std::size_t room = static_cast<std::size_t>(kMaxLineBytes) - line.size();
    line.append(from, std::min(length, room));
    truncated_ = truncated_ || length > room;
    begin_ += length + (lf != nullptr ? 1 : 0);
    if (lf != nullptr) break;
  }
  if (truncated_) {
    line.resize(utf8_prefix(line, line.size() - 1).size());  // never half a character
  } else if (line.ends_with('\r')) {
    line.pop_back();
    ++carriage_returns_;
  }
  if (any && ++number_ == 1 && line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  return any;
}

std::string read_whole_file(const std::string& path) {
  require_text_file(path);
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff bytes = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  std::string content(bytes > 0 ? static_cast<std::size_t>(bytes) : 0, '\0');
  file.seekg(0);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (bytes < 0 || !file) fail_input(fmt::format("{}: cannot be read", path));
  return content;
}

}  // namespace weft
