#include "launcher/together.h"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "runtime/checksum.h"
#include "runtime/error.h"

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

void require_same(Control& control, const std::string& what, const std::string& text) {
  const std::string mine = checksum(std::string_view(text)).hex();
  const std::vector<std::string> all = control.gather(mine, 0);
  on_root(control, [&] {
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      if (all[rank] == all[0]) continue;
      fail_input(fmt::format(
          "rank {} has another {} than rank 0\n  found     {}\n  expected  {}, as rank 0: the same program and files on every host", rank,
          what, all[rank], all[0]));
    }
  });
}

}  // namespace weft
