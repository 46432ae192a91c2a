#include "launcher/verbs/pieces.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weft {
namespace {

std::vector<std::string> written(const Vocabulary& vocabulary, const std::vector<std::int32_t>& ids) {
  std::vector<std::string> pieces;
  for (const std::int32_t id : ids) pieces.push_back(vocabulary.piece(id));
  return pieces;
}

}  // namespace

Pieces pieces_of(const Vocabulary& source_vocabulary, const std::vector<std::int32_t>& source, const Vocabulary& output_vocabulary,
                 const std::vector<std::int32_t>& output) {
  return {.source = written(source_vocabulary, source), .output = written(output_vocabulary, output)};
}

void add_pieces_option(Options& options, bool& pieces) {
  options.flag("--pieces", pieces,
               "adds ` ||| source pieces ||| output pieces`: what alignments and word scores count, the end tokens included");
}

void set_pieces(Json& object, const Pieces& pieces) {
  object.set("source_pieces", Json::Array(pieces.source.begin(), pieces.source.end()));
  object.set("pieces", Json::Array(pieces.output.begin(), pieces.output.end()));
}

std::string text_of(const Pieces& pieces) {
  return fmt::format(" ||| {} ||| {}", fmt::join(pieces.source, " "), fmt::join(pieces.output, " "));
}

}  // namespace weft
