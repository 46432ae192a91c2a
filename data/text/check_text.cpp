#include "data/text/check_text.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "data/text/utf8.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// A file whose first bytes say that its characters are of 16 bits, or half of whose bytes are NUL.
bool looks_like_utf16(std::string_view line) {
  if (line.starts_with("\xff\xfe") || line.starts_with("\xfe\xff")) return true;
  const auto nuls = std::ranges::count(line, '\0');
  return line.size() >= 4 && 4 * nuls > static_cast<std::ptrdiff_t>(line.size());
}

/// The encoding that bytes which are not UTF-8 look like.
std::string guess_encoding(std::string_view line, std::size_t broken) {
  if (looks_like_utf16(line)) return ", as in UTF-16";
  if (line[broken] == '\0') return "";
  // A letter of an 8-bit encoding is one byte; a broken sequence of UTF-8 has bytes that continue it.
  const auto byte = [&](std::size_t i) { return i < line.size() ? static_cast<unsigned char>(line[i]) : 0u; };
  const bool alone = (byte(broken + 1) & 0xC0u) != 0x80 && (broken == 0 || byte(broken - 1) < 0x80);
  return alone ? ", as in Latin-1 or another 8-bit encoding" : "";
}

/// What a text says of itself line by line.
class TextCheck {
 public:
  TextCheck(const TextColumn& text, InvalidUtf8 policy) : text_(text), policy_(policy) {}

  void add(std::string_view line) {
    ++lines_;
    if (lines_ == 1 && looks_like_utf16(line)) refuse("the file looks like UTF-16", "UTF-8: iconv -f UTF-16 -t UTF-8");
    const auto returns = std::ranges::count(line, '\r');
    returns_ += returns;
    if (returns > 0 && first_return_ == 0) first_return_ = lines_;
    const std::size_t broken = policy_ == InvalidUtf8::kError ? find_invalid_utf8(line) : std::string_view::npos;
    if (broken == std::string_view::npos) return;
    refuse(describe_invalid_utf8(line, broken) + guess_encoding(line, broken),
           "UTF-8; data.invalid_utf8: skip drops such lines, replace repairs them");
  }

  /// Text that was written on Windows or holds a stray CR has fewer of them than lines.
  void finish() {
    if (returns_ <= lines_) return;
    const std::int64_t lines = std::exchange(lines_, first_return_);
    refuse(fmt::format("{} CR inside {} line{}: its lines end in CR alone, as on old Macs", returns_, lines, lines == 1 ? "" : "s"),
           "lines that end in LF: tr '\\r' '\\n'");
  }

  std::int64_t lines() const { return lines_; }

 private:
  [[noreturn]] void refuse(const std::string& what, const std::string& expected) const {
    fail_input(fmt::format("{}:{}{}: {}\n  expected  {}", text_.file, lines_,
                           text_.column == 0 ? "" : fmt::format(" (column {})", text_.column), what, expected));
  }

  const TextColumn& text_;
  InvalidUtf8 policy_;
  std::int64_t lines_ = 0, returns_ = 0, first_return_ = 0;
};

}  // namespace

std::int64_t check_text(const TextColumn& text, InvalidUtf8 policy) {
  ColumnReader reader(text);
  TextCheck check(text, policy);
  for (std::string line; reader.next(line);) check.add(line);
  check.finish();
  return check.lines();
}

std::int64_t check_pairs(const ParallelText& text, InvalidUtf8 policy) {
  const TextColumn source = column_of(text, Side::kSource), target = column_of(text, Side::kTarget);
  const std::int64_t pairs = check_text(source, policy), targets = check_text(target, policy);
  if (pairs != targets) {
    fail_input(fmt::format("{} has {} lines, {} has {}: parallel files need equally many (a line ends in LF and in nothing else)",
                           source.file, pairs, target.file, targets));
  }
  if (pairs == 0) fail_input(fmt::format("{}: empty, there is nothing to prepare", names_of(text)));
  return pairs;
}

}  // namespace weft
