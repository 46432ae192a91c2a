#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/text/parallel_text.h"
#include "runtime/random.h"

namespace weft {

/// What text a vocabulary is learned from, and how much, so that the memory it takes does not grow with the corpus.
struct SampleLimits {
  std::int64_t lines = 5'000'000;
  std::int64_t bytes = std::int64_t{1} << 30;
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kSkip;  // replace: lines that are not UTF-8 are repaired; else left out
};

/// The usable lines of several texts, one after another: not empty, UTF-8 without NUL, or repaired. Of more text than the limits allow, a
/// random sample of about that size; it is drawn with a fixed seed by the number of the line, so the same files give the same sample.
class TextSample {
 public:
  /// Reads all files once, to count. The columns must outlive the sample.
  TextSample(const std::vector<TextColumn>&, const SampleLimits&);
  bool next(std::string& line);
  /// Lines of all texts, usable or not.
  std::int64_t lines() const { return lines_; }

 private:
  bool read_line(std::string& line);

  const std::vector<TextColumn>& columns_;
  RandomKey key_;
  bool repairs_;
  std::uint64_t kept_of_billion_;
  std::int64_t lines_ = 0, at_ = 0;
  std::size_t next_column_ = 0;
  std::unique_ptr<ColumnReader> reader_;
};

}  // namespace weft
