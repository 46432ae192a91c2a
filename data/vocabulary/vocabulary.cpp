#include "data/vocabulary/vocabulary.h"

#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <xxhash.h>

#include "data/text/text_file.h"
#include "data/text/utf8.h"
#include "data/vocabulary/entry_list.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 28;

std::string read_model(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) fail_input(fmt::format("{}: vocabulary cannot be read: {}", path, error.message()));
  if (bytes == 0 || bytes > kMaxFileBytes) fail_input(fmt::format("{}: {} bytes, which is no vocabulary", path, bytes));
  return read_whole_file(path);
}

/// A SentencePiece model has bytes that are no text.
bool is_entry_list(const std::string& content) {
  return content.find('\n') != std::string::npos && content.find('\0') == std::string::npos;
}

}  // namespace

Vocabulary Vocabulary::load(const std::string& path) {
  const std::string content = read_model(path);
  Vocabulary vocabulary;
  vocabulary.tokenizer_ = is_entry_list(content) ? read_entry_list(content, path) : read_sentencepiece(content, path);
  vocabulary.fingerprint_ = XXH3_64bits(content.data(), content.size());
  return vocabulary;
}

void Vocabulary::require_inside(std::int32_t id) const {
  if (id < 0 || id >= size()) fail(fmt::format("id {} is outside the vocabulary of {}", id, size()));
}

std::string Vocabulary::decode(std::span<const std::int32_t> ids) const {
  for (const std::int32_t id : ids) require_inside(id);
  return tokenizer_->decode(ids);
}

std::string Vocabulary::piece(std::int32_t id) const {
  require_inside(id);
  std::string written;
  for (const char c : as_one_line(tokenizer_->piece(id))) written += is_blank(c) ? "\u2581" : std::string(1, c);
  return written;
}

std::string kind_of(VocabType type) {
  constexpr std::array kKinds{"a SentencePiece vocabulary", "a word vocabulary", "a character vocabulary", "a byte vocabulary"};
  return kKinds.at(static_cast<std::size_t>(type));  // in the order of VocabType
}

}  // namespace weft
