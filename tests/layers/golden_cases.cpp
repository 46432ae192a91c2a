#include "tests/layers/golden_cases.h"

#include <cmath>

#include "layers/attention/cross_attention.h"
#include "layers/attention/self_attention.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "layers/linear.h"
#include "layers/norm.h"
#include "runtime/error.h"
#include "tests/support/batches.h"

namespace weft::test {
namespace {

/// One run of one layer. Parameters are registered below "layer", a prefix the files do not have.
struct Run {
  const GoldenFile& file;
  DType dtype;
  Rounding rounding;
  TestContext ctx;
  ParameterSet set{1};
  ParameterScope scope{set, "layer", 0};
  LayerResults results;

  Run(const GoldenFile& golden, const KernelTable& table, DType type, Rounding round)
      : file(golden), dtype(type), rounding(round), ctx(table) {}

  Tensor input(const std::string& name) { return file.tensor(ctx, "input." + name, dtype, rounding); }
  BoundParameters bind() {
    set.lay_out();
    BoundParameters bound(ctx, set, dtype);
    bound.load(file, "layer.", rounding);
    return bound;
  }
  void keep(const std::string& name, const Tensor& tensor) { results["output." + name] = to_doubles(tensor); }
  void keep_gradients(const BoundParameters& bound) {
    for (const std::string& part : bound.trained_parts())
      results["grad." + part.substr(std::string("layer.").size())] = bound.gradient(part);
  }
};

std::vector<std::int32_t> lengths(const GoldenFile& file, const std::string& offsets_name) {
  const std::vector<std::int32_t> offsets = file.ints(offsets_name);
  std::vector<std::int32_t> lengths;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) lengths.push_back(offsets[b + 1] - offsets[b]);
  return lengths;
}

/// A file of one linear layer names its parameters "weight" and "bias": the output is called "layer" here, without a scope of its own.
void run_linear(Run& run) {
  const Shape shape = run.file.shape("weight");
  const Linear linear({.in_features = shape[1], .outputs = {{"layer", shape[0]}}, .bias = run.file.has("bias")},
                      ParameterScope(run.set, "", 0));
  const BoundParameters bound = run.bind();
  const Tensor x = run.input("x"), dy = run.input("dy"), y = run.ctx.empty(dy.shape, run.dtype), dx = run.ctx.empty(x.shape, run.dtype);
  linear.forward(run.ctx, x, y);
  linear.backward(run.ctx, dy, x, dx);
  run.keep("y", y);
  run.keep("dx", dx);
  run.keep_gradients(bound);
}

void run_norm(Run& run) {
  const NormKind kind = run.file.has("bias") ? NormKind::kLayerNorm : NormKind::kRmsNorm;
  const Norm norm({run.file.shape("weight")[0], run.file.config().at("eps").as_double(), kind}, run.scope);
  const BoundParameters bound = run.bind();
  const Tensor x = run.input("x"), dy = run.input("dy"), y = run.ctx.empty(x.shape, run.dtype), dx = run.ctx.empty(x.shape, run.dtype);
  Norm::Saved saved;
  norm.forward(run.ctx, {.x = x}, y, saved);
  norm.backward(run.ctx, saved, {.dy = dy, .dz = dx});
  run.keep("y", y);
  run.keep("dx", dx);
  run.keep_gradients(bound);
}

Init sinusoids_of(const GoldenFile& file) {
  return file.config().at("sinusoidal_style").as_string() == "halves" ? Init::sinusoidal_halves() : Init::sinusoidal();
}

void run_embedding(Run& run) {
  constexpr std::int64_t kPositions = 16;
  const Shape shape = run.file.shape("weight");
  const bool learned = run.file.has("position.weight");
  Parameter& token = run.scope.add("weight", shape, Init::zeros());
  Parameter& position = learned ? run.scope.add("position.weight", run.file.shape("position.weight"), Init::zeros())
                                : run.scope.add_constant("position.weight", {kPositions, shape[1]}, sinusoids_of(run.file));
  const bool scaled = run.file.config().at("embedding_scale").as_string() == "sqrt";
  const Embedding embedding({.scale = scaled ? std::sqrt(static_cast<double>(shape[1])) : 1}, token, &position, run.scope);
  const BoundParameters bound = run.bind();
  const Rows rows = make_rows(run.ctx, run.file.sequences("input."));
  const Tensor dy = run.input("dy"), y = run.ctx.empty(dy.shape, run.dtype);
  Embedding::Saved saved;
  embedding.forward(run.ctx, rows, y, saved);
  embedding.backward(run.ctx, dy, saved);
  run.keep("y", y);
  run.keep_gradients(bound);
}

AttentionConfig attention_config(const GoldenFile& file) {
  return {.hidden_size = file.shape("out_proj.weight")[0],
          .num_heads = file.config().at("num_heads").as_int(),
          .num_kv_heads = file.config().at("num_kv_heads").as_int(),
          .causal = file.config().at("causal").as_bool()};
}

/// Rotations and slopes as a model registers them.
PositionTables position_tables(Run& run, const AttentionConfig& config) {
  constexpr std::int64_t kLongest = 16;
  const Json& golden = run.file.config();
  PositionTables tables;
  if (golden.at("alibi").as_bool()) tables.slopes = &run.scope.add_wide_constant("slopes", {config.num_heads}, Init::slopes());
  if (golden.at("rope").is_null()) return tables;
  const Json& rope = golden.at("rope");
  tables.rotation = &run.scope.add_wide_constant("rotation", {kLongest, config.dim()}, Init::rotary(rope.at("base").as_double()));
  tables.pairing = rope.at("style").as_string() == "half" ? RotaryPairing::kHalf : RotaryPairing::kInterleaved;
  return tables;
}

void run_self_attention(Run& run) {
  AttentionConfig config = attention_config(run.file);
  config.positions = position_tables(run, config);
  const SelfAttention attention(config, run.scope);
  const BoundParameters bound = run.bind();
  const Rows rows = make_rows_of_lengths(run.ctx, lengths(run.file, "input.offsets"));
  const Tensor x = run.input("x"), dy = run.input("dy"), y = run.ctx.empty(x.shape, run.dtype), dx = run.ctx.empty(x.shape, run.dtype);
  SelfAttention::Saved saved;
  attention.forward(run.ctx, x, rows, y, saved);
  attention.backward(run.ctx, dy, saved, dx);
  run.keep("y", y);
  run.keep("dx", dx);
  run.keep_gradients(bound);
}

void run_cross_attention(Run& run) {
  const CrossAttention attention(attention_config(run.file), run.scope);
  const BoundParameters bound = run.bind();
  const Rows rows = make_rows_of_lengths(run.ctx, lengths(run.file, "input.offsets"));
  const Rows memory_rows = make_rows_of_lengths(run.ctx, lengths(run.file, "input.memory_offsets"));
  const Tensor x = run.input("x"), dy = run.input("dy"), memory = run.input("memory");
  const Tensor y = run.ctx.empty(x.shape, run.dtype), dx = run.ctx.empty(x.shape, run.dtype);
  const Tensor keys_values = run.ctx.empty({memory.size(0), 2 * memory.size(1)}, run.dtype);
  const Tensor dkeys_values = run.ctx.empty(keys_values.shape, run.dtype), dmemory = run.ctx.zeros(memory.shape, sum_type(run.dtype));
  CrossAttention::Saved saved;
  attention.project(run.ctx, memory, keys_values);
  attention.forward(run.ctx, x, rows, attention.keys(keys_values, memory_rows), y, saved);
  attention.backward(run.ctx, dy, saved, {.dx = dx, .dkeys_values = dkeys_values});
  attention.project_backward(run.ctx, dkeys_values, memory, dmemory);
  run.keep("y", y);
  run.keep("dx", dx);
  run.keep("dmemory", dmemory);
  run.keep_gradients(bound);
}

void run_feed_forward(Run& run) {
  const std::string& activation = run.file.config().at("activation").as_string();
  const std::map<std::string, FfnActivation> activations{{"relu", FfnActivation::kRelu},
                                                         {"gelu", FfnActivation::kGelu},
                                                         {"gelu_tanh", FfnActivation::kGeluTanh},
                                                         {"swiglu", FfnActivation::kSwiglu}};
  const Shape shape = run.file.shape(activation == "swiglu" ? "gate_proj.weight" : "fc1.weight");
  const FeedForward ffn({.hidden_size = shape[1], .ffn_size = shape[0], .activation = activations.at(activation)}, run.scope);
  const BoundParameters bound = run.bind();
  const Tensor x = run.input("x"), dy = run.input("dy"), y = run.ctx.empty(x.shape, run.dtype), dx = run.ctx.empty(x.shape, run.dtype);
  FeedForward::Saved saved;
  ffn.forward(run.ctx, x, {}, y, saved);
  ffn.backward(run.ctx, dy, saved, dx);
  run.keep("y", y);
  run.keep("dx", dx);
  run.keep_gradients(bound);
}

const std::map<std::string, void (*)(Run&)> kLayers = {{"linear", run_linear},
                                                       {"linear_no_bias", run_linear},
                                                       {"layer_norm", run_norm},
                                                       {"rms_norm", run_norm},
                                                       {"embedding_sinusoidal_interleaved", run_embedding},
                                                       {"embedding_sinusoidal_halves", run_embedding},
                                                       {"embedding_learned", run_embedding},
                                                       {"attention_self", run_self_attention},
                                                       {"attention_self_causal", run_self_attention},
                                                       {"attention_grouped_causal", run_self_attention},
                                                       {"attention_multi_query", run_self_attention},
                                                       {"attention_rope_half_causal", run_self_attention},
                                                       {"attention_rope_interleaved_causal", run_self_attention},
                                                       {"attention_rope_grouped_causal", run_self_attention},
                                                       {"attention_alibi_causal", run_self_attention},
                                                       {"attention_alibi_self", run_self_attention},
                                                       {"attention_alibi_three_heads_causal", run_self_attention},
                                                       {"attention_cross", run_cross_attention},
                                                       {"ffn_relu", run_feed_forward},
                                                       {"ffn_gelu", run_feed_forward},
                                                       {"ffn_gelu_tanh", run_feed_forward},
                                                       {"ffn_swiglu", run_feed_forward}};

}  // namespace

LayerResults run_golden_layer(const GoldenFile& file, const std::string& layer, const KernelTable& table, DType dtype, Rounding rounding) {
  Run run(file, table, dtype, rounding);
  kLayers.at(layer)(run);
  return run.results;
}

std::vector<std::string> golden_layers() {
  std::vector<std::string> names;
  for (const auto& [name, run] : kLayers) names.push_back(name);
  return names;
}

}  // namespace weft::test
