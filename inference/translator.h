#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "data/vocabulary.h"
#include "inference/greedy.h"

namespace weft {

/// Lines of text in, as many lines of text out, in the same order.
class Translator {
 public:
  using Warn = std::function<void(const std::string&)>;

  /// The vocabularies must outlive the translator. `max_source_length` counts the end token.
  Translator(const SearchProblem&, const Vocabulary& source, const Vocabulary& target, std::int64_t max_source_length);

  /// A line without words gives an empty line. Broken UTF-8 is repaired and a line that is too long is cropped, each with a warning that
  /// names its number: the first of `lines` is `first_number`.
  std::vector<std::string> translate(Context&, std::span<const std::string> lines, std::int64_t first_number, const Warn&) const;

 private:
  std::vector<std::int32_t> encode(const std::string& line, std::int64_t number, const Warn&) const;

  SearchProblem problem_;
  const Vocabulary& source_;
  const Vocabulary& target_;
  std::int64_t max_source_length_;
};

/// Refuses what is configured and not built yet, in the words of docs/reference.md.
void require_supported(const DecodingConfig&);

/// The search that a configuration asks for. `model_max_length` counts the end token.
SearchProblem make_search_problem(Generator&, const DecodingConfig&, const Vocabulary& source, const Vocabulary& target,
                                  std::int64_t model_max_length);

}  // namespace weft
