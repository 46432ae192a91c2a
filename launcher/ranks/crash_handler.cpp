#include "launcher/ranks/crash_handler.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

namespace weft {
namespace {

// All that a handler can reach: written once, before it is installed.
const Progress* crash_progress = nullptr;
std::array<char, 128> crash_rank;  // "[rank 3 node07] "
std::array<char, 65536> crash_stack;

std::string_view name_of(int number) {
  switch (number) {
    case SIGSEGV:
      return "SIGSEGV";
    case SIGBUS:
      return "SIGBUS";
    case SIGFPE:
      return "SIGFPE";
    case SIGILL:
      return "SIGILL";
    default:
      return "SIGABRT";
  }
}

/// A line of limited length, put together without taking memory.
class Line {
 public:
  Line& add(std::string_view text) {
    const std::size_t length = text.size() < left() ? text.size() : left();
    std::memcpy(text_.data() + used_, text.data(), length);
    used_ += length;
    return *this;
  }
  Line& add(std::int64_t number) {
    const auto end = std::to_chars(text_.data() + used_, text_.data() + text_.size(), number);
    if (end.ec == std::errc()) used_ = static_cast<std::size_t>(end.ptr - text_.data());
    return *this;
  }
  std::string_view text() const { return {text_.data(), used_}; }

 private:
  std::size_t left() const { return text_.size() - used_; }

  std::array<char, 384> text_;
  std::size_t used_ = 0;
};

void on_crash(int number) {
  Line line;
  line.add(crash_rank.data()).add("fatal: ").add(name_of(number)).add(" at step ").add(crash_progress->step).add(", pass ");
  line.add(crash_progress->pass).add(", collective #").add(crash_progress->collective).add("\n");
  const ssize_t written = ::write(STDERR_FILENO, line.text().data(), line.text().size());
  static_cast<void>(written);
  // Blocked until this returns to where the fault was: there it ends the process, and a core dump shows that place.
  signal(number, SIG_DFL);
  raise(number);
}

}  // namespace

void install_crash_handler(const Progress& progress, int rank, const std::string& host) {
  crash_progress = &progress;
  const std::string text = "[rank " + std::to_string(rank) + " " + host;
  const std::size_t length = std::min(text.size(), crash_rank.size() - 3);
  std::memcpy(crash_rank.data(), text.data(), length);
  std::memcpy(crash_rank.data() + length, "] ", 3);

  stack_t stack = {};
  stack.ss_sp = crash_stack.data();
  stack.ss_size = crash_stack.size();
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(number, &action, nullptr);
}

}  // namespace weft
