#include "launcher/config/used_keys.h"

#include <algorithm>

#include "launcher/config/keys/key.h"
#include "launcher/input/problem.h"
#include "launcher/input/yaml_sources.h"
#include "runtime/error.h"

namespace weft {
namespace {

bool matches(const std::string& name, const std::string& key) {
  return name.ends_with('*') ? key.starts_with(name.substr(0, name.size() - 1)) : key == name;
}

}  // namespace

std::string UsedKeys::words() const {
  return one_of(names) + (except.empty() ? "" : ", but not " + one_of(except));
}

void UsedKeys::require(const std::vector<std::string>& given) const {
  for (const std::string& key : given) {
    const bool used = std::ranges::any_of(names, [&](const std::string& name) { return matches(name, key); });
    if (used && std::ranges::count(except, key) == 0) continue;
    fail_input(problem_text({.at = {kSetSource}, .path = key, .what = "not used by " + verb, .expected = words()}));
  }
}

}  // namespace weft
