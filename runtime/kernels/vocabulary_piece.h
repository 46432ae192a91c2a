#pragma once
#include <cstdint>

namespace weft {

/// Which tokens of a vocabulary a rank of tensor parallelism holds: those from `first` on, as many as its matrix has rows (or its logits
/// columns), of `vocab_size` in all. vocab_size 0: it holds them all.
struct VocabularyPiece {
  std::int64_t first = 0;
  std::int64_t vocab_size = 0;
};

}  // namespace weft
