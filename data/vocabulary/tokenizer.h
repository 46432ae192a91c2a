#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/data_config.h"

namespace weft {

/// Ids that mean something to training and decoding. Read from the vocabulary; one that Weft learns has unk 0, bos 1, eos 2.
struct SpecialIds {
  std::int32_t unk = 0, bos = 1, eos = 2;
  friend bool operator==(const SpecialIds&, const SpecialIds&) = default;
};

/// Text <-> ids of one kind of vocabulary. The program uses it through Vocabulary, which checks the ids. Constant, so threads may share it.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual std::vector<std::int32_t> encode(std::string_view text) const = 0;
  virtual std::string decode(std::span<const std::int32_t> ids) const = 0;
  virtual std::string piece(std::int32_t id) const = 0;
  /// The unknown token, or a byte that stands for a part of an unknown character.
  virtual bool is_unknown(std::int32_t id) const = 0;

  VocabType type = VocabType::kSentencePiece;
  std::int64_t size = 0;
  SpecialIds special;
};

/// Both read the content of a file; `path` is for messages. What is damaged or lacks a special id is an error.
std::unique_ptr<Tokenizer> read_sentencepiece(const std::string& content, const std::string& path);
std::unique_ptr<Tokenizer> read_entry_list(const std::string& content, const std::string& path);

}  // namespace weft
