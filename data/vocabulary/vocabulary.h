#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_config.h"
#include "data/vocabulary/tokenizer.h"

namespace weft {

/// Text <-> ids, by a SentencePiece model or a list of words, characters or bytes (entry_list.h); the content of the file tells which.
/// Constant after loading, so threads may share it.
class Vocabulary {
 public:
  /// A file that is missing, damaged or without unk, bos or eos is an error that names it.
  static Vocabulary load(const std::string& path);

  /// Without bos and eos; empty when the text is blank. The text is well-formed UTF-8 without NUL. Only SentencePiece normalises it.
  std::vector<std::int32_t> encode(std::string_view text) const { return tokenizer_->encode(text); }
  /// bos and eos give no text. Words are joined by blanks; bytes that are no UTF-8 become U+FFFD.
  std::string decode(std::span<const std::int32_t> ids) const;

  /// How the vocabulary writes a token, on one line and without blanks: `▁the`, `<0x0A>`, `</s>`. A blank is `▁`, as SentencePiece has it.
  std::string piece(std::int32_t id) const;

  VocabType type() const { return tokenizer_->type; }
  std::int64_t size() const { return tokenizer_->size; }
  const SpecialIds& special() const { return tokenizer_->special; }
  /// Whether a token that `encode` gave stands for what the vocabulary does not have: the unknown token, or a byte-fallback piece.
  bool is_unknown(std::int32_t id) const { return tokenizer_->is_unknown(id); }
  /// XXH3 of the bytes of the file.
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  Vocabulary() = default;
  void require_inside(std::int32_t id) const;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::uint64_t fingerprint_ = 0;
};

/// "a word vocabulary", for messages.
std::string kind_of(VocabType);

}  // namespace weft
