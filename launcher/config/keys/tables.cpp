#include "launcher/config/keys/tables.h"

namespace weft {

const std::vector<Section>& sections() {
  static const std::vector<Section> all = {run_section(),       data_section(),       vocab_section(),      model_section(),
                                           training_section(),  validation_section(), checkpoint_section(), parallel_section(),
                                           precision_section(), decoding_section()};
  return all;
}

const std::vector<std::string>& reserved_keys() {
  static const std::vector<std::string> keys = {
      "guided_alignment",       "guided_alignment_weight", "training.guided_alignment", "training.guided_alignment_weight", "models",
      "vocab.subword_sampling", "parallel.pipeline",       "parallel.context",          "parallel.sequence_parallel"};
  return keys;
}

}  // namespace weft
