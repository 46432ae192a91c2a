#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/prepare/dataset_writer.h"
#include "runtime/random.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {

/// A data set with sentences of given lengths (end tokens included); the ids are pseudo-random, from 3 to 99.
class TestDataset {
 public:
  explicit TestDataset(const std::vector<Lengths>& lengths) {
    const VocabularyInfo vocabulary{.fingerprint = 7, .size = 100, .special = {}};
    std::filesystem::create_directories(folder_.path("set"));
    DatasetWriter writer(folder_.path("set"), vocabulary, vocabulary);
    std::uint32_t next = 1;
    const auto ids = [&](std::int32_t length) {
      std::vector<std::int32_t> values;
      for (std::int32_t i = 1; i < length; ++i)
        values.push_back(static_cast<std::int32_t>(3 + (next = next * 1664525u + 1013904223u) / 65536 % 97));
      return values;
    };
    for (const Lengths& l : lengths) {
      const std::vector<std::int32_t> source = ids(l.source), target = ids(l.target);
      writer.add(source, target);
    }
    writer.commit();
    data_ = std::make_unique<Dataset>(folder_.path("set"));
  }
  const Dataset& operator*() const { return *data_; }
  const Dataset* operator->() const { return data_.get(); }
  const TextFolder& folder() const { return folder_; }

 private:
  TextFolder folder_;
  std::unique_ptr<Dataset> data_;
};

/// Lengths like those of text: most around ten, some up to `longest`.
inline std::vector<Lengths> text_lengths(std::int64_t count, std::uint64_t seed, std::int32_t longest = 40) {
  const RandomKey key = random_key(seed, "lengths");
  std::vector<Lengths> lengths;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto draw = [&](std::uint64_t place) {
      const double u = random_uniform(key, static_cast<std::uint64_t>(i) * 2 + place);
      return static_cast<std::int32_t>(1 + u * u * (longest - 1));
    };
    lengths.push_back({draw(0), draw(1)});
  }
  return lengths;
}

}  // namespace weft::test
