#pragma once
#include <cstdint>

namespace weft {

/// Section `decoding` of the configuration.
struct DecodingConfig {
  int beam_size = 5;
  std::int64_t min_length = 0;
  std::int64_t max_length = 0;    // 0: model.max_length
  double max_length_ratio = 3.0;  // output <= ratio x source tokens + 10
  bool allow_unk = false;
  std::int64_t batch_size = 4096;  // source tokens decoded together
};

}  // namespace weft
