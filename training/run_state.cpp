#include "training/run_state.h"

#include <string>

namespace weft {
namespace {

Json to_json(const SamplerConfig& config) {
  Json json = Json::object();
  json.set("seed", std::to_string(config.seed)).set("batch_type", config.batch_type == BatchType::kTokens ? "tokens" : "sents");
  json.set("batch_size", config.batch_size).set("bucket_size", config.bucket_size).set("shuffle", config.shuffle);
  json.set("equal_windows", config.equal_windows);
  return json;
}

SamplerConfig sampler_config_from(const Json& json) {
  return {.seed = std::stoull(json.at("seed").as_string()),
          .batch_type = json.at("batch_type").as_string() == "tokens" ? BatchType::kTokens : BatchType::kSents,
          .batch_size = json.at("batch_size").as_int(),
          .bucket_size = json.at("bucket_size").as_int(),
          .shuffle = json.at("shuffle").as_bool(),
          .equal_windows = json.find("equal_windows") != nullptr && json.at("equal_windows").as_bool()};
}

Json to_json(const Reset& reset) {
  Json json = Json::object();
  for (const auto& [name, part] : kResets) json.set(name, reset.*part);
  return json;
}

}  // namespace

Json to_json(const BestMetrics& best) {
  Json json = Json::object();
  for (const auto& [metric, value] : best) {
    Json entry = Json::object();
    entry.set("value", value.value).set("step", value.step).set("stalled", value.stalled);
    json.set(metric, std::move(entry));
  }
  return json;
}

BestMetrics best_metrics_from(const Json& json) {
  BestMetrics best;
  for (const Json::Member& member : json.as_object()) {
    best[member.key] = {.value = member.value.at("value").as_double(),
                        .step = member.value.at("step").as_int(),
                        .stalled = member.value.at("stalled").as_int()};
  }
  return best;
}

Reset recorded_reset(const Json& run_state) {
  Reset reset;
  const Json* recorded = run_state.find("reset");
  if (recorded == nullptr) return reset;
  for (const auto& [name, part] : kResets) reset.*part = recorded->at(name).as_bool();
  return reset;
}

Json to_json(const RunState& run) {
  Json json = Json::object();
  json.set("step", run.counts.step).set("target_tokens", run.counts.target_tokens).set("epochs", run.counts.epochs);
  Json position = Json::object();
  position.set("epoch", run.position.epoch).set("window", run.position.window);
  position.set("batch", run.position.batch).set("samples", run.position.samples);
  json.set("position", std::move(position));
  if (run.sampling) json.set("sampling", to_json(*run.sampling));
  json.set("adam_count", run.adam_count).set("nonfinite_row", run.nonfinite_row);
  json.set("validation_due", run.validation_due).set("best", to_json(run.best));
  json.set("validation", run.validation).set("tokenize", run.tokenize);
  json.set("reset", to_json(run.reset)).set("schedule_start", run.schedule_start);
  json.set("kept_best", Json::Array(run.kept_best.begin(), run.kept_best.end()));
  return json;
}

RunState run_state_from(const Json& json) {
  RunState run;
  run.counts = {
      .step = json.at("step").as_int(), .target_tokens = json.at("target_tokens").as_int(), .epochs = json.at("epochs").as_double()};
  const Json& position = json.at("position");
  run.position = {.epoch = position.at("epoch").as_int(),
                  .window = position.at("window").as_int(),
                  .batch = position.at("batch").as_int(),
                  .samples = position.at("samples").as_int()};
  if (const Json* sampling = json.find("sampling")) run.sampling = sampler_config_from(*sampling);
  run.adam_count = json.at("adam_count").as_int();
  run.nonfinite_row = json.at("nonfinite_row").as_int();
  run.validation_due = json.at("validation_due").as_bool();
  if (const Json* validation = json.find("validation")) run.validation = validation->as_string();
  if (const Json* tokenize = json.find("tokenize")) run.tokenize = tokenize->as_string();
  if (const Json* kept = json.find("kept_best")) {
    for (const Json& step : kept->as_array()) run.kept_best.push_back(step.as_int());
  }
  run.reset = recorded_reset(json);
  if (const Json* start = json.find("schedule_start")) run.schedule_start = start->as_int();
  run.best = best_metrics_from(json.at("best"));
  return run;
}

}  // namespace weft
