#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/vocabulary/vocabulary.h"
#include "launcher/input/options.h"
#include "runtime/files/json.h"

namespace weft {

/// The pieces of a line and of its output, end tokens included: what alignments and word scores count.
struct Pieces {
  std::vector<std::string> source, output;
};
Pieces pieces_of(const Vocabulary& source_vocabulary, const std::vector<std::int32_t>& source, const Vocabulary& output_vocabulary,
                 const std::vector<std::int32_t>& output);

void add_pieces_option(Options&, bool& pieces);

/// Sets "source_pieces" and "pieces".
void set_pieces(Json& object, const Pieces&);
/// ` ||| source pieces ||| pieces`, each parted by blanks.
std::string text_of(const Pieces&);

}  // namespace weft
