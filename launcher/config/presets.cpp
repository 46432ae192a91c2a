#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "launcher/config/keys/tables.h"
#include "runtime/error.h"

namespace weft {
namespace {

struct Preset {
  std::string name, text;
};

/// What every transformer preset sets beside its shape.
constexpr const char* kRecipe =
    "optimizer: adam, adam_beta1: 0.9, adam_eps: 1e-9, label_smoothing: 0.1, lr_scheduler: inverse_sqrt, max_grad_norm: 0";

const std::array<Preset, 5>& presets() {
  static const std::array<Preset, 5> all = {{
      {"transformer-tiny", R"(
vocab: {vocab_size: 8000}
model: {num_layers: 4, hidden_size: 128, ffn_size: 256, num_heads: 4, dropout: 0.3, norm_position: pre, tied_embeddings: all}
training: {learning_rate: 4e-3, warmup_steps: 400, batch_size: 4096, adam_beta2: 0.98, RECIPE}
)"},
      {"transformer-small", R"(
model: {num_layers: 6, hidden_size: 512, ffn_size: 1024, num_heads: 4, dropout: 0.3, tied_embeddings: all}
training: {learning_rate: 5e-4, warmup_steps: 4000, batch_size: 4096, weight_decay: 1e-4, adam_beta2: 0.98, RECIPE}
)"},
      {"transformer-base", R"(
model: {num_layers: 6, hidden_size: 512, ffn_size: 2048, num_heads: 8, dropout: 0.1, tied_embeddings: all}
training: {learning_rate: 3e-4, warmup_steps: 16000, batch_size: 25000, ema_decay: 0.9999, adam_beta2: 0.98, RECIPE}
)"},
      {"transformer-big", R"(
model: {num_layers: 6, hidden_size: 1024, ffn_size: 4096, num_heads: 16, dropout: 0.1, tied_embeddings: all}
training: {learning_rate: 2e-4, warmup_steps: 8000, batch_size: 25000, ema_decay: 0.9999, adam_beta2: 0.998, RECIPE}
)"},
      {"transformer-modern", R"(
model: {num_layers: 6, hidden_size: 512, ffn_size: 1376, num_heads: 8, num_kv_heads: 2, dropout: 0.1, norm_position: pre, tied_embeddings: all,
        norm: rms_norm, activation: swiglu, positions: rope, bias: false}
training: {learning_rate: 5e-4, warmup_steps: 8000, batch_size: 25000, adam_beta2: 0.98, RECIPE}
)"},
  }};
  return all;
}

constexpr std::string_view kPreNorm = "-prenorm";

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Preset& preset : presets()) {
    names.push_back(preset.name);
    names.push_back(preset.name + std::string(kPreNorm));
  }
  return names;
}

std::string preset_text(const std::string& name) {
  const std::string shape = name.ends_with(kPreNorm) ? name.substr(0, name.size() - kPreNorm.size()) : name;
  const auto found = std::find_if(presets().begin(), presets().end(), [&](const Preset& preset) { return preset.name == shape; });
  if (found == presets().end()) fail("no preset " + name);
  std::string text = found->text;
  text.replace(text.find("RECIPE"), 6, kRecipe);
  if (shape != name) text.replace(text.find("model: {"), 8, "model: {norm_position: pre, ");
  // Some shapes are pre-norm already; a key may stand in a file only once.
  const std::size_t first = text.find("norm_position: pre, "), second = text.find("norm_position: pre, ", first + 1);
  if (first != text.npos && second != text.npos) text.erase(second, std::string_view("norm_position: pre, ").size());
  return text;
}

ReadResult read_preset(const YamlNode& node, std::string& preset) {
  const std::vector<std::string> names = preset_names();
  if (node.kind != YamlNode::Kind::kScalar || std::count(names.begin(), names.end(), node.scalar) == 0) {
    return wrong_word(node, names,
                      {"summarizer-base", "summarizer-base-prenorm", "classifier-small", "classifier-base", "lm-small", "lm-1.3b"});
  }
  preset = node.scalar;
  return std::nullopt;
}

}  // namespace weft
