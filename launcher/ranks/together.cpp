#include "launcher/ranks/together.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <future>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/files/checksum.h"

namespace weft {
namespace {

/// `code message`; empty: all is well.
std::string outcome_of(const std::function<void()>& body) {
  try {
    body();
    return "";
  } catch (const Error& error) {
    return fmt::format("{} {}", static_cast<int>(error.code()), error.what());
  } catch (const std::exception& error) {
    return fmt::format("{} {}", static_cast<int>(ExitCode::kInternal), error.what());
  }
}

std::string first_failure(const std::vector<std::string>& outcomes) {
  for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
    if (outcomes[rank].empty()) continue;
    const std::size_t blank = outcomes[rank].find(' ');
    const std::string who = rank == 0 ? "" : fmt::format("rank {}: ", rank);
    return outcomes[rank].substr(0, blank + 1) + who + outcomes[rank].substr(blank + 1);
  }
  return "";
}

/// What waits, for a file server or another rank, takes less of a processor than this.
constexpr double kWorkingShare = 0.005;

/// Of this process, by all its threads.
double processor_seconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Without its indentation; empty past the end of the text.
std::string next_line(std::istringstream& text) {
  std::string line;
  std::getline(text, line);
  return line.substr(std::min(line.size(), line.find_first_not_of(' ')));
}

/// The first lines of two different texts that differ.
std::pair<std::string, std::string> first_difference(const std::string& a, const std::string& b) {
  std::istringstream lines_a(a), lines_b(b);
  while (lines_a || lines_b) {
    const std::string line_a = next_line(lines_a), line_b = next_line(lines_b);
    if (line_a != line_b) return {line_a, line_b};
  }
  return {a, b};
}

}  // namespace

void together(Control& control, const std::function<void()>& body) {
  const std::string agreed = control.broadcast(first_failure(control.gather(outcome_of(body), 0)), 0);
  if (agreed.empty()) return;
  const std::size_t blank = agreed.find(' ');
  throw AgreedError(static_cast<ExitCode>(std::stoi(agreed.substr(0, blank))), control.rank() == 0 ? agreed.substr(blank + 1) : "");
}

void on_root(Control& control, const std::function<void()>& body) {
  together(control, [&] {
    if (control.rank() == 0) body();
  });
}

void on_root_at_length(Control& control, const LongWork& work) {
  const std::string more = "more", end;
  together(control, [&] {
    if (control.rank() != 0) {
      while (control.broadcast({}, 0) == more) {
      }
      return;
    }
    std::exception_ptr failure;
    try {
      std::future<void> done = std::async(std::launch::async, work.body);
      double used = processor_seconds();
      while (done.wait_for(std::chrono::duration<double>(work.seconds)) == std::future_status::timeout) {
        const bool works = processor_seconds() - used >= kWorkingShare * work.seconds;
        if (works) work.alive();
        if (works) control.broadcast(more, 0);
        used = processor_seconds();
      }
      done.get();
    } catch (const std::exception&) {
      failure = std::current_exception();
    }
    control.broadcast(end, 0);
    if (failure) std::rethrow_exception(failure);
  });
}

void require_same(Control& control, const std::vector<Shared>& all) {
  std::string sums;  // of one length each
  for (const Shared& one : all) sums += checksum(std::string_view(one.text)).hex();
  const std::vector<std::string> by_rank = control.gather(sums, 0);
  std::int64_t rank = 0, item = 0;
  if (const auto other = std::ranges::find_if(by_rank, [&](const std::string& one) { return one != sums; }); other != by_rank.end()) {
    rank = other - by_rank.begin();
    item = (std::ranges::mismatch(*other, sums).in2 - sums.begin()) / static_cast<std::int64_t>(sums.size() / all.size());
  }
  const std::vector<std::int64_t> first = control.agree({rank, item});  // rank 0 knows
  if (first[0] == 0) return;
  const Shared& ours = all[static_cast<std::size_t>(first[1])];
  const std::vector<std::string> texts = control.gather(control.rank() == first[0] ? ours.text : std::string(), 0);
  on_root(control, [&] {
    const auto [their_line, our_line] = first_difference(texts[static_cast<std::size_t>(first[0])], ours.text);
    fail_input(fmt::format(
        "rank {} has another {} than rank 0\n  found     {}\n  expected  {}, as rank 0: the same program and files on every host", first[0],
        ours.what, their_line, our_line));
  });
}

}  // namespace weft
