#include "launcher/ranks/crash_handler.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace weft {
namespace {

// All that a handler can reach: written once, before it is installed.
const Progress* crash_progress = nullptr;
std::array<char, 128> crash_rank;  // "[rank 3 node07] "
std::array<char, 65536> crash_stack;

void on_crash(int number) {
  std::array<char, 384> line;  // put together without taking memory
  const auto end =
      fmt::format_to_n(line.data(), line.size(), "{}fatal: SIG{} at step {}, pass {}, collective #{}\n", crash_rank.data(),
                       sigabbrev_np(number), crash_progress->step.load(), crash_progress->pass.load(), crash_progress->collective.load());
  const ssize_t written = ::write(STDERR_FILENO, line.data(), static_cast<std::size_t>(end.out - line.data()));
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
