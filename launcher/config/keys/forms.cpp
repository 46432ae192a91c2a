#include "launcher/config/keys/forms.h"

#include <functional>
#include <map>

#include <fmt/format.h>

#include "launcher/config/keys/key.h"

namespace weft {
namespace {

using Form = std::function<Conversion(const YamlNode&, const Config&)>;

Conversion one(std::string path, YamlNode value, std::string once = {}) {
  if (once.empty()) once = path;
  return {.rewrites = {{std::move(path), std::move(value), std::move(once)}}, .problem = std::nullopt};
}

Conversion word(std::string path, std::string text, const YamlNode& from) {
  return one(std::move(path), YamlNode::text(std::move(text), from.at));
}

Conversion refused(std::string what, const YamlNode& node, std::string expected) {
  return {.rewrites = {}, .problem = not_a(std::move(what), node, std::move(expected))};
}

/// The number becomes that of one stack; the other stack keeps what it has.
Form stack(std::string key, std::int64_t StackConfig::*member, bool is_encoder) {
  return [=](const YamlNode& node, const Config& current) {
    const auto kept = YamlNode::text(std::to_string((is_encoder ? current.model.decoder : current.model.encoder).*member), node.at);
    std::vector<YamlNode> keys{YamlNode::text("encoder", node.at), YamlNode::text("decoder", node.at)};
    std::vector<YamlNode> items = is_encoder ? std::vector<YamlNode>{node, kept} : std::vector<YamlNode>{kept, node};
    return one("model." + key, YamlNode::map(keys, items, node.at), "model." + key + (is_encoder ? ".encoder" : ".decoder"));
  };
}

Form width(std::string once) {
  return [=](const YamlNode& node, const Config&) { return one("model.hidden_size", node, once); };
}

/// true and false become one word each; "" for nothing to set.
Form yes_or_no(std::string path, std::string yes, std::string no, std::string once = {}) {
  return [=](const YamlNode& node, const Config&) -> Conversion {
    bool value = false;
    if (auto problem = read_bool(node, value)) return {.rewrites = {}, .problem = problem};
    const std::string& chosen = value ? yes : no;
    return chosen.empty() ? Conversion{} : one(path, YamlNode::text(chosen, node.at), once);
  };
}

YamlNode pair_map(const YamlNode& files) {
  return YamlNode::map({YamlNode::text("src", files.at), YamlNode::text("tgt", files.at)}, files.items, files.at);
}

Form files(std::function<Conversion(const YamlNode&)> convert) {
  return [=](const YamlNode& node, const Config&) {
    const bool two = node.kind == YamlNode::Kind::kList && node.items.size() == 2;
    return two ? convert(node) : refused("not two files", node, "[SOURCE, TARGET]");
  };
}

Conversion vocabularies(const YamlNode& node) {
  Conversion conversion = one("vocab.src", node.items[0]);
  conversion.rewrites.push_back({"vocab.tgt", node.items[1], "vocab.tgt"});
  return conversion;
}

/// 100Ku, 10e, 2Gt: the limit of that unit.
Conversion after(const YamlNode& node, const Config&) {
  Frequency limit;
  const std::string unit = node.scalar.empty() ? "" : node.scalar.substr(node.scalar.size() - 1);
  if (auto problem = read_frequency(node, limit)) return {.rewrites = {}, .problem = problem};
  if (unit != "u" && unit != "t" && unit != "e")
    return refused("without a unit", node, "100Ku (updates), 2Gt (target tokens) or 10e (epochs)");
  const std::string number = node.scalar.substr(0, node.scalar.size() - 1);
  const std::string path = unit == "u" ? "train_steps" : unit == "t" ? "max_tokens_seen" : "max_epochs";
  return word("training." + path, number, node);
}

/// [0.9, 0.98] or "(0.9, 0.98)"; a third number is eps.
Conversion adam_numbers(const YamlNode& node, const Config&) {
  std::vector<YamlNode> numbers = node.items;
  if (node.kind == YamlNode::Kind::kScalar) {
    std::string list = node.scalar;
    for (char& c : list) c = c == '(' || c == ')' || c == ',' || c == '[' || c == ']' ? ' ' : c;
    for (std::size_t begin = list.find_first_not_of(' '); begin != list.npos; begin = list.find_first_not_of(' ', begin)) {
      const std::size_t end = std::min(list.find(' ', begin), list.size());
      numbers.push_back(YamlNode::text(list.substr(begin, end - begin), node.at));
      begin = end;
    }
  }
  const std::vector<std::string> paths{"training.adam_beta1", "training.adam_beta2", "training.adam_eps"};
  if (numbers.size() < 2 || numbers.size() > 3) return refused("not the numbers of Adam", node, "[beta1, beta2] or [beta1, beta2, eps]");
  Conversion conversion;
  for (std::size_t i = 0; i < numbers.size(); ++i) conversion.rewrites.push_back({paths[i], numbers[i], paths[i]});
  return conversion;
}

/// Marian's share of the new weights, or true for its 1e-4; ours is the share kept.
Conversion smoothing(const YamlNode& node, const Config&) {
  double share = 1e-4;
  if (node.plain("false")) share = 0;
  if (!node.plain("true") && !node.plain("false")) {
    if (auto problem = read_real(node, {.least = 0, .most = 1}, share)) return {.rewrites = {}, .problem = problem};
  }
  return word("training.ema_decay", share == 0 ? "0" : fmt::format("{:.12g}", 1 - share), node);
}

Conversion preprocess(const YamlNode& node, const Config&) {
  return node.scalar == "n" ? word("model.norm_position", "pre", node)
                            : refused("no such form here", node, "n, which is model.norm_position: pre");
}

Conversion normalize(const YamlNode& node, const Config&) {
  Conversion conversion = word("decoding.length_penalty", "avg", node);
  conversion.rewrites.push_back({"decoding.alpha", node, "decoding.alpha"});
  return conversion;
}

Conversion decay_method(const YamlNode& node, const Config&) {
  if (node.scalar != "noam") return refused("no such form here", node, "noam, or training.lr_scheduler");
  Conversion conversion = word("training.lr_scheduler", "inverse_sqrt", node);
  conversion.noam = true;
  return conversion;
}

Conversion fp16(const YamlNode& node, const Config&) {
  if (node.plain("false")) return {};
  return refused("means something else elsewhere, so it is not guessed", node, "precision.dtype: bf16, which needs no loss scale");
}

const std::map<std::string, Form>& forms() {
  static const std::map<std::string, Form> all = {
      {"enc_depth", stack("num_layers", &StackConfig::num_layers, true)},
      {"dec_depth", stack("num_layers", &StackConfig::num_layers, false)},
      {"encoder_layers", stack("num_layers", &StackConfig::num_layers, true)},
      {"decoder_layers", stack("num_layers", &StackConfig::num_layers, false)},
      {"encoder_attention_heads", stack("num_heads", &StackConfig::num_heads, true)},
      {"decoder_attention_heads", stack("num_heads", &StackConfig::num_heads, false)},
      {"encoder_ffn_embed_dim", stack("ffn_size", &StackConfig::ffn_size, true)},
      {"decoder_ffn_embed_dim", stack("ffn_size", &StackConfig::ffn_size, false)},
      {"encoder_embed_dim", width("model.hidden_size.encoder")},
      {"decoder_embed_dim", width("model.hidden_size.decoder")},
      {"train_sets", files([](const YamlNode& node) { return one("data.train", YamlNode::list({pair_map(node)}, node.at)); })},
      {"valid_sets", files([](const YamlNode& node) { return one("data.valid", pair_map(node)); })},
      {"vocabs", files(vocabularies)},
      {"after", after},
      {"optimizer_params", adam_numbers},
      {"adam_betas", adam_numbers},
      {"exponential_smoothing", smoothing},
      {"tied_embeddings_all", yes_or_no("model.tied_embeddings", "all", "none")},
      {"share_all_embeddings", yes_or_no("model.tied_embeddings", "all", "none")},
      {"share_decoder_input_output_embed", yes_or_no("model.tied_embeddings", "decoder", "none")},
      {"transformer_preprocess", preprocess},
      {"encoder_normalize_before", yes_or_no("model.norm_position", "pre", "post", "model.norm_position.encoder")},
      {"decoder_normalize_before", yes_or_no("model.norm_position", "pre", "post", "model.norm_position.decoder")},
      {"normalize", normalize},
      {"bf16", yes_or_no("precision.dtype", "bf16", "")},
      {"tf32", yes_or_no("precision.dtype", "tf32", "")},
      {"gradient_checkpointing", yes_or_no("training.recompute", "block", "none")},
      {"checkpoint_activations", yes_or_no("training.recompute", "block", "none")},
      {"use_ckpting", yes_or_no("training.recompute", "block", "none")},
      {"decay_method", decay_method},
      {"fp16", fp16},
  };
  return all;
}

}  // namespace

std::optional<Conversion> translate_form(const std::string& name, const YamlNode& value, const Config& current) {
  // Our own key with Marian's value.
  if (name == "tied_embeddings" && (value.plain("true") || value.plain("false"))) {
    return yes_or_no("model.tied_embeddings", "decoder", "none")(value, current);
  }
  const auto form = forms().find(name);
  if (form == forms().end()) return std::nullopt;
  return form->second(value, current);
}

std::vector<std::string> form_names() {
  std::vector<std::string> names;
  for (const auto& [name, form] : forms()) names.push_back(name);
  return names;
}

}  // namespace weft
