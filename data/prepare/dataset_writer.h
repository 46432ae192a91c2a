#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "data/dataset.h"

namespace weft {

/// Writes the two files of a Dataset, pair by pair; in memory it keeps 4 bytes a sentence and side. The files appear under their names in
/// `commit`; before, or when it is never called, nothing is left of them.
class DatasetWriter {
 public:
  DatasetWriter(const std::string& folder, const VocabularyInfo& source, const VocabularyInfo& target);
  ~DatasetWriter();

  /// Ids without eos, which is appended here. A side may be empty.
  void add(std::span<const std::int32_t> source, std::span<const std::int32_t> target);
  std::int64_t size() const;
  void commit();

 private:
  class File;
  std::unique_ptr<File> source_, target_;
};

}  // namespace weft
