#include "launcher/verbs/layouts.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

#include "launcher/config/checks.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// The number after `prefix`, which is taken off the text; 0: there is none.
int take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return 0;
  const std::string_view digits = text.substr(prefix.size());
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || number < 1 || number > 4096) return 0;
  text.remove_prefix(prefix.size() + static_cast<std::size_t>(end - digits.data()));
  return number;
}

}  // namespace

std::string layout_name(Grid grid) {
  if (grid.tensor == 1) return fmt::format("dp{}", grid.data);
  if (grid.data == 1) return fmt::format("tp{}", grid.tensor);
  return fmt::format("dp{}xtp{}", grid.data, grid.tensor);
}

Grid parse_layout(const std::string& text) {
  std::string_view rest = text;
  Grid grid{take(rest, "dp"), 0};
  grid.tensor = take(rest, grid.data > 0 ? "xtp" : "tp");
  if (!rest.empty() || (grid.data == 0 && grid.tensor == 0)) {
    fail_input(fmt::format(
        "--layouts: not a layout\n  found     {}\n  expected  dp2, tp2 or dp2xtp2: data-parallel and tensor-parallel ranks", text));
  }
  return {std::max(grid.data, 1), std::max(grid.tensor, 1)};
}

void require_shareable(Grid grid, const ModelConfig& model) {
  const std::int64_t shared = shared_by_tensor(model);
  if (shared % grid.tensor == 0) return;
  fail_input(fmt::format("--layouts: {}: {} ranks cannot share the heads and feed-forward layers of this model\n  expected  tp of {}",
                         layout_name(grid), grid.tensor, divisors(shared)));
}

std::vector<Grid> usual_layouts(const ModelConfig& model, int ranks) {
  std::vector<Grid> all{{2, 1}, {1, 2}, {2, 2}, {1, 4}};
  if (ranks > 0) {
    all.clear();
    for (int tensor = 1; tensor <= ranks; ++tensor) {
      if (ranks % tensor == 0) all.push_back({ranks / tensor, tensor});
    }
  }
  std::erase_if(all, [&](Grid grid) { return shared_by_tensor(model) % grid.tensor != 0; });
  return all;
}

}  // namespace weft
