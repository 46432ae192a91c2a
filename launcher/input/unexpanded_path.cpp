#include "launcher/input/unexpanded_path.h"

#include <pwd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace weft {
namespace {

bool is_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Of `~` or `~user`; empty where there is no such user.
std::string home_of(const std::string& user) {
  const char* home = user.empty() ? std::getenv("HOME") : nullptr;
  if (home != nullptr) return home;
  const passwd* entry = user.empty() ? nullptr : getpwnam(user.c_str());
  return entry == nullptr ? "" : entry->pw_dir;
}

std::string with_home(const std::string& path) {
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string home = home_of(path.substr(1, end - 1));
  return home.empty() ? "./" + path : home + path.substr(end);
}

}  // namespace

std::optional<std::string> expanded_form(const std::string& path) {
  std::string text = path.starts_with('~') ? with_home(path) : path;
  for (std::size_t at = text.find('$'), next = 0; at != std::string::npos; at = text.find('$', next)) {
    next = at + 1;
    const bool braces = text.substr(at + 1).starts_with('{');
    const std::size_t begin = at + (braces ? 2 : 1);
    std::size_t end = begin;
    while (end < text.size() && is_name(text[end])) ++end;
    const bool closed = !braces || (end < text.size() && text[end] == '}');
    if (end == begin || !closed || std::isdigit(static_cast<unsigned char>(text[begin])) != 0) continue;
    const std::string name = text.substr(begin, end - begin);
    const char* value = std::getenv(name.c_str());
    const std::string put = value != nullptr ? value : "(" + name + " is not set)";
    text.replace(at, end + (braces ? 1 : 0) - at, put);
    next = at + put.size();
  }
  if (text == path) return std::nullopt;
  return text;
}

}  // namespace weft
