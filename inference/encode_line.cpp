#include "inference/encode_line.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/text/utf8.h"

namespace weft {
namespace {

/// Bytes worth encoding of an endless line, for each token that is kept.
constexpr std::int64_t kBytesPerToken = 256;

}  // namespace

std::vector<std::int32_t> encode_line(const Vocabulary& vocabulary, const std::string& line, std::int64_t max_length,
                                      const std::string& where, const Warn& warn) {
  std::string repaired;
  std::string_view text = line;
  if (find_invalid_utf8(line) != std::string::npos) {
    warn(where + ": broken UTF-8 or NUL, repaired");
    repaired = repair_utf8(line);
    text = repaired;
  }
  const std::string_view bounded = utf8_prefix(text, static_cast<std::size_t>(max_length * kBytesPerToken));
  std::vector<std::int32_t> ids = vocabulary.encode(bounded);
  const auto limit = static_cast<std::size_t>(max_length - 1);
  if (ids.size() > limit || bounded.size() < text.size()) {
    warn(fmt::format("{}: longer than {} tokens, cropped", where, limit));
    ids.resize(std::min(ids.size(), limit));
  }
  return ids;
}

}  // namespace weft
