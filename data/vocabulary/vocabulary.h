#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_config.h"

namespace weft {

class Tokenizer;

/// Ids that mean something to training and decoding. Read from the vocabulary; one that Weft learns has unk 0, bos 1, eos 2.
struct SpecialIds {
  std::int32_t unk = 0, bos = 1, eos = 2;
  friend bool operator==(const SpecialIds&, const SpecialIds&) = default;
};

/// Text <-> ids, by a SentencePiece model or a list of words, characters or bytes (entry_list.h); the content of the file tells which.
/// Constant after loading, so threads may share it.
class Vocabulary {
 public:
  /// A file that is missing, damaged or without unk, bos or eos is an error that names it.
  static Vocabulary load(const std::string& path);
  Vocabulary(Vocabulary&&) noexcept;
  Vocabulary& operator=(Vocabulary&&) noexcept;
  ~Vocabulary();

  /// Without bos and eos; empty when the text is blank. The text is well-formed UTF-8 without NUL. Only SentencePiece normalises it.
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// bos and eos give no text. Words are joined by blanks; bytes that are no UTF-8 become U+FFFD.
  std::string decode(std::span<const std::int32_t> ids) const;

  /// How the vocabulary writes a token, on one line and without blanks: `▁the`, `<0x0A>`, `</s>`. A blank is `▁`, as SentencePiece has it.
  std::string piece(std::int32_t id) const;

  VocabType type() const;
  std::int64_t size() const;
  const SpecialIds& special() const;
  /// Whether a token that `encode` gave stands for what the vocabulary does not have: the unknown token, or a byte-fallback piece.
  bool is_unknown(std::int32_t id) const;
  /// XXH3 of the bytes of the file.
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  Vocabulary();
  void require_inside(std::int32_t id) const;
  std::unique_ptr<Tokenizer> tokenizer_;
  std::uint64_t fingerprint_ = 0;
};

/// "a word vocabulary", for messages.
std::string kind_of(VocabType);

}  // namespace weft
