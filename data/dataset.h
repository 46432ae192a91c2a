#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "data/data_config.h"
#include "data/vocabulary/vocabulary.h"

namespace weft {

/// Tokens of one pair, end tokens included. The decoder reads as many rows as the target has tokens: bos and all but the last.
struct Lengths {
  std::int32_t source = 0, target = 0;
  std::int32_t longer() const { return source > target ? source : target; }
};

/// A vocabulary as a data set remembers it.
struct VocabularyInfo {
  std::uint64_t fingerprint = 0;
  std::int64_t size = 0;
  SpecialIds special;
  friend bool operator==(const VocabularyInfo&, const VocabularyInfo&) = default;
};
VocabularyInfo info_of(const Vocabulary&);

/// Binarised sentence pairs: FOLDER/source.bin and FOLDER/target.bin, mapped into memory. Each file, little-endian:
///   header    128 bytes, see dataset_format.h; with a checksum of its own
///   tokens    int32, the ids of all sentences one after the other, each with its eos
///   offsets   int64, sentences + 1: where each begins in tokens; from 0 to the number of tokens
/// Opening checks the header, the size of the file and every offset, so that damaged files are errors and never crashes; the ids are
/// checked by the checksum (`verify`) and when a batch is built. Constant after opening, so threads may share it.
class Dataset {
 public:
  explicit Dataset(const std::string& folder);
  Dataset(Dataset&&) noexcept;
  Dataset& operator=(Dataset&&) noexcept;
  ~Dataset();

  /// Sentence pairs.
  std::int64_t size() const;
  Lengths lengths(std::int64_t i) const;
  /// The ids of one side, eos last: for the target these are the labels.
  std::span<const std::int32_t> tokens(std::int64_t i, Side) const;
  /// Sum over all sentences of one side, end tokens included.
  std::int64_t token_count(Side) const;
  /// Longest sentence of one side.
  std::int64_t max_length(Side) const;
  const VocabularyInfo& vocabulary(Side) const;
  /// Of the ids and lengths of both sides: equal for equal corpora.
  std::uint64_t fingerprint() const;
  /// Reads everything and compares checksums; a difference is an error that names the file.
  void verify() const;
  const std::string& folder() const { return folder_; }

 private:
  class File;
  const File& side(Side) const;
  std::string folder_;
  std::unique_ptr<File> source_, target_;
};

}  // namespace weft
