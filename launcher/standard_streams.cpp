#include "launcher/standard_streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "data/text/utf8.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 16;

[[noreturn]] void fail_output(int error_number) {
  if (error_number == EPIPE) throw Error(ExitCode::kInternal, "");
  throw Error(ExitCode::kInternal, fmt::format("stdout cannot be written: {}", std::strerror(error_number)));
}

}  // namespace

void open_missing_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one, since those below are open. The wrong way round: whoever uses it gets EBADF.
    if (open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor) return;
  }
}

std::vector<std::string> LineInput::take(std::size_t most) {
  std::vector<std::string> lines;
  split(lines, most);
  while (lines.size() < most && !ended_ && (lines.empty() || more_waits())) {
    ended_ = !fill();
    split(lines, most);
  }
  return lines;
}

bool LineInput::more_waits() const {
  pollfd state{.fd = descriptor_, .events = POLLIN, .revents = 0};
  return poll(&state, 1, 0) > 0;
}

bool LineInput::fill() {
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t filled = buffer_.size();
  buffer_.resize(filled + kReadBytes);
  ssize_t got = -1;
  do got = read(descriptor_, buffer_.data() + filled, kReadBytes);
  while (got < 0 && errno == EINTR);
  if (got < 0) fail_input(fmt::format("stdin cannot be read: {}\n  expected  lines of text", std::strerror(errno)));
  buffer_.resize(filled + static_cast<std::size_t>(got));
  return got > 0;
}

void LineInput::split(std::vector<std::string>& lines, std::size_t most) {
  while (lines.size() < most && begin_ < buffer_.size()) {
    const std::size_t lf = buffer_.find('\n', begin_);
    const std::size_t end = std::min(lf, buffer_.size());
    const std::size_t room = static_cast<std::size_t>(kMaxLineBytes) - line_.size();
    line_.append(buffer_, begin_, std::min(end - begin_, room));
    inside_line_ = lf == std::string::npos;
    begin_ = inside_line_ ? end : end + 1;
    if (!inside_line_) take_line(lines);
  }
  if (!ended_ || !inside_line_ || lines.size() == most || begin_ < buffer_.size()) return;
  inside_line_ = false;  // the last line, without LF
  take_line(lines);
}

void LineInput::take_line(std::vector<std::string>& lines) {
  if (line_.ends_with('\r')) line_.pop_back();
  if (std::exchange(first_, false) && line_.starts_with(kByteOrderMark)) line_.erase(0, kByteOrderMark.size());
  lines.push_back(std::exchange(line_, {}));
}

void write_stdout(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail_output(errno);
  flush_stdout();
}

void flush_stdout() {
  if (std::fflush(stdout) != 0) fail_output(errno);
}

}  // namespace weft
