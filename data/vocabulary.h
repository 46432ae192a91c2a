#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace weft {

/// Ids that mean something to training and decoding. Read from the vocabulary; one that Weft learns has unk 0, bos 1, eos 2.
struct SpecialIds {
  std::int32_t unk = 0, bos = 1, eos = 2;
  friend bool operator==(const SpecialIds&, const SpecialIds&) = default;
};

/// Text <-> ids by a SentencePiece model. Constant after loading, so threads may share it.
class Vocabulary {
 public:
  /// Reads a .model file. One that is missing, damaged or without unk, bos or eos is an error that names it.
  static Vocabulary load(const std::string& path);
  Vocabulary(Vocabulary&&) noexcept;
  Vocabulary& operator=(Vocabulary&&) noexcept;
  ~Vocabulary();

  /// Without bos and eos. The text is well-formed UTF-8 without NUL.
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// bos and eos give no text.
  std::string decode(std::span<const std::int32_t> ids) const;

  std::int64_t size() const { return size_; }
  const SpecialIds& special() const { return special_; }
  /// XXH3 of the bytes of the file.
  std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  Vocabulary();
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
  std::int64_t size_ = 0;
  SpecialIds special_;
  std::uint64_t fingerprint_ = 0;
};

}  // namespace weft
