#pragma once
#include <string>
#include <vector>

#include "launcher/config/keys/key.h"

namespace weft {

Section run_section();
Section data_section();
Section vocab_section();
Section model_section();
Section training_section();
Section validation_section();
Section checkpoint_section();
Section parallel_section();
Section precision_section();
Section decoding_section();

/// transformer-tiny, ...
std::vector<std::string> preset_names();
/// The keys a preset sets, as YAML; the preset must be one of preset_names().
std::string preset_text(const std::string& name);
/// Stores the name. Its keys are applied by load_config, before the files.
ReadResult read_preset(const YamlNode&, std::string& preset);

}  // namespace weft
