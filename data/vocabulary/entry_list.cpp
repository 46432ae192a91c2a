#include "data/vocabulary/entry_list.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "data/text/utf8.h"
#include "data/vocabulary/tokenizer.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr int kBytes = 256;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

[[noreturn]] void refuse(const std::string& path, std::size_t line, const std::string& what) {
  fail_input(fmt::format("{}:{}: {}\n  expected  a vocabulary: one entry a line, or the .model file of SentencePiece", path, line, what));
}

std::vector<std::string> read_entries(const std::string& content, const std::string& path) {
  std::vector<std::string> entries;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t end = std::min(content.find('\n', begin), content.size());
    std::string entry = content.substr(begin, end - begin);
    begin = end + 1;
    if (entry.ends_with('\r')) entry.pop_back();  // a list that was edited on Windows
    if (entry.empty()) refuse(path, entries.size() + 1, "an empty entry");
    if (entry != kBlankEntry && std::any_of(entry.begin(), entry.end(), is_blank)) {
      refuse(path, entries.size() + 1, "a blank inside an entry");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// A word, character or byte for each id.
class EntryList final : public Tokenizer {
 public:
  EntryList(std::vector<std::string> entries, const std::string& path) : entries_(std::move(entries)) {
    size = static_cast<std::int64_t>(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const auto [place, added] = ids_.emplace(entries_[i], static_cast<std::int32_t>(i));
      if (!added) refuse(path, i + 1, fmt::format("\"{}\" is already in line {}", entries_[i], place->second + 1));
    }
    special = {.unk = take_special(0, path), .bos = take_special(1, path), .eos = take_special(2, path)};
    if (has_all_bytes()) {
      type = VocabType::kByte;
    } else if (ids_.contains(kBlankEntry)) {
      type = VocabType::kChar;
      require_characters(path);
    } else {
      type = VocabType::kWord;
    }
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<std::int32_t> ids;
    if (type == VocabType::kByte) {
      for (const char byte : trimmed(text)) ids.push_back(bytes_[static_cast<unsigned char>(byte)]);
      return ids;
    }
    for (const std::string_view token : type == VocabType::kWord ? words_of(text) : characters_of(text)) {
      const auto found = ids_.find(token);
      ids.push_back(found == ids_.end() ? special.unk : found->second);
    }
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    for (const std::int32_t id : ids) {
      if (id == special.bos || id == special.eos) continue;
      if (type == VocabType::kWord && !text.empty()) text += ' ';
      const auto byte = type == VocabType::kByte ? std::find(bytes_.begin(), bytes_.end(), id) : bytes_.end();
      if (byte == bytes_.end()) {
        text += entries_[static_cast<std::size_t>(id)];
      } else {
        text += static_cast<char>(byte - bytes_.begin());
      }
    }
    return type == VocabType::kByte ? repair_utf8(text) : text;  // a model may write any bytes
  }

  std::string piece(std::int32_t id) const override { return entries_[static_cast<std::size_t>(id)]; }

  bool is_unknown(std::int32_t id) const override { return id == special.unk; }

 private:
  /// Special entries are no words of a text, so they leave the table.
  std::int32_t take_special(std::size_t which, const std::string& path) {
    const auto found = ids_.find(kSpecialEntries[which]);
    if (found == ids_.end()) {
      fail_input(fmt::format("{}: the vocabulary has no {}\n  expected  <unk>, <s> and </s>, each on a line of its own", path,
                             kSpecialEntries[which]));
    }
    const std::int32_t id = found->second;
    ids_.erase(found);
    return id;
  }

  bool has_all_bytes() {
    if (ids_.size() != kBytes) return false;
    for (int byte = 0; byte < kBytes; ++byte) {
      const auto found = ids_.find(byte_entry(byte));
      if (found == ids_.end()) return false;
      bytes_.push_back(found->second);
    }
    return true;
  }

  void require_characters(const std::string& path) const {
    for (const auto& [entry, id] : ids_) {
      if (entry == kBlankEntry || characters_of(entry).size() == 1) continue;
      refuse(path, static_cast<std::size_t>(id) + 1,
             fmt::format("\"{}\" is more than a character, in a vocabulary of characters (it has a blank as an entry)", entry));
    }
  }

  std::vector<std::string> entries_;
  std::unordered_map<std::string_view, std::int32_t> ids_;  // views of entries_, without the special ones
  std::vector<std::int32_t> bytes_;                         // the id of each byte, for a vocabulary of bytes
};

}  // namespace

bool is_special_entry(std::string_view entry) {
  return std::find(kSpecialEntries.begin(), kSpecialEntries.end(), entry) != kSpecialEntries.end();
}

std::string byte_entry(int byte) {
  return fmt::format("<0x{:02X}>", byte);
}

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const auto length = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_blank) - text.begin());
    words.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return words;
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  for (text = trimmed(text); !text.empty();) {
    std::size_t bytes = 1;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0u) == 0x80u) ++bytes;
    characters.push_back(is_blank(text.front()) ? kBlankEntry : text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return characters;
}

std::unique_ptr<Tokenizer> read_entry_list(const std::string& content, const std::string& path) {
  if (const std::size_t broken = find_invalid_utf8(content); broken != std::string::npos) {
    const auto line = static_cast<std::size_t>(std::count(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(broken), '\n'));
    refuse(path, line + 1, "not UTF-8");
  }
  return std::make_unique<EntryList>(read_entries(content, path), path);
}

}  // namespace weft
