#include <algorithm>

#include "launcher/config/keys/tables.h"

namespace weft {
namespace {

constexpr Whole kCount{.least = 0, .suffix = true};
constexpr Whole kLimit{.least = 1, .suffix = true};

std::vector<Key> update_keys() {
  const auto of = in(&Config::training);
  return {
      choice("batch_type", of(&TrainingConfig::batch_type), {{"tokens", BatchType::kTokens}, {"sents", BatchType::kSents}}, {},
             "what batch_size counts: tokens of the longer side, or sequences"),
      whole("batch_size", of(&TrainingConfig::batch_size), kLimit, "upper bound on one update, over the whole job"),
      on_change(Change::kNone, whole_or("auto", "micro_batch_size", of(&TrainingConfig::micro_batch_size), kLimit,
                                        "tokens of one side in a pass; auto: the most that fits in the dry run")),
      on_change(Change::kNone, fixed("accum_count", "auto", {}, "passes an update, derived from micro_batch_size")),
  };
}

std::vector<Key> optimizer_keys() {
  const auto of = in(&Config::optimizer);
  const Real decay{.least = 0, .most = 1, .below = true};
  return {
      choice("optimizer", of(&OptimizerConfig::kind),
             {{"adam", OptimizerKind::kAdam}, {"adamw", OptimizerKind::kAdamW}, {"sgd", OptimizerKind::kSgd}}, {},
             "adam adds weight decay to the gradient, adamw takes it off the weight"),
      real("adam_beta1", of(&OptimizerConfig::adam_beta1), decay, "decay of the first moment"),
      real("adam_beta2", of(&OptimizerConfig::adam_beta2), decay, "decay of the second moment"),
      real("adam_eps", of(&OptimizerConfig::adam_eps), {.least = 0, .above = true}, "added to the root of the second moment"),
      real("momentum", of(&OptimizerConfig::momentum), decay, "sgd"),
      boolean("nesterov", of(&OptimizerConfig::nesterov), "sgd"),
      real("weight_decay", of(&OptimizerConfig::weight_decay), {.least = 0}, "never on biases, norms and embeddings"),
  };
}

std::vector<Key> schedule_keys() {
  const auto of = in(&Config::training, &TrainingConfig::schedule);
  return {
      real("learning_rate", of(&ScheduleConfig::learning_rate), {.least = 0, .above = true}, "the peak"),
      choice("lr_scheduler", of(&ScheduleConfig::kind),
             {{"inverse_sqrt", LrScheduler::kInverseSqrt},
              {"cosine", LrScheduler::kCosine},
              {"linear", LrScheduler::kLinear},
              {"wsd", LrScheduler::kWsd},
              {"constant", LrScheduler::kConstant}},
             {}, "how the rate falls after the warm-up"),
      whole("warmup_steps", of(&ScheduleConfig::warmup_steps), kCount, "updates until the peak"),
      real("warmup_init_lr", of(&ScheduleConfig::warmup_init_lr), {.least = 0}, "where the warm-up starts"),
      real("min_lr", of(&ScheduleConfig::min_lr), {.least = 0}, "where the decay of cosine, linear and wsd ends"),
      whole_or("null", "decay_steps", of(&ScheduleConfig::decay_steps), kLimit,
               "cosine, linear: the step at which min_lr is reached (null: train_steps); wsd: length of the tail"),
  };
}

std::vector<Key> loss_keys() {
  const auto model = in(&Config::model);
  const auto optimizer = in(&Config::optimizer);
  return {
      real("max_grad_norm", optimizer(&OptimizerConfig::max_grad_norm), {.least = 0}, "gradients are scaled down to this L2 norm; 0: off"),
      real("label_smoothing", model(&ModelConfig::label_smoothing), {.least = 0, .most = 1, .below = true},
           "share of the target spread over the vocabulary"),
      fixed("class_weights", "null", {"balanced"}, "classification: null, balanced or {label: weight}"),
      choice("normalization", in(&Config::training)(&TrainingConfig::normalization),
             {{"tokens", Normalization::kTokens}, {"sents", Normalization::kSents}}, {},
             "loss and gradient are sums over the update, divided by this"),
      real("ema_decay", optimizer(&OptimizerConfig::ema_decay), {.least = 0, .most = 1, .below = true},
           "share of the averaged weights kept per update; 0: off; else validation, decoding and export use them"),
      on_change(Change::kNone, choice("recompute", model(&ModelConfig::recompute_blocks), {{"none", false}, {"block", true}}, {},
                                      "block: activations are dropped and computed again in backward")),
  };
}

std::vector<Key> limit_keys() {
  const auto limits = in(&Config::training, &TrainingConfig::limits);
  const auto of = in(&Config::training);
  const Real positive{.least = 0, .above = true};
  return on_change(
      Change::kNone,
      {
          on_change(Change::kEnd, whole_or("null", "train_steps", limits(&LimitsConfig::train_steps), kLimit,
                                           "the first limit reached ends the run; one is required")),
          real_or_null("max_epochs", limits(&LimitsConfig::max_epochs), positive, "limit in passes over the data"),
          whole_or("null", "max_tokens_seen", limits(&LimitsConfig::max_tokens_seen), kLimit, "limit in target tokens"),
          real_or_null("stop_time_hours", limits(&LimitsConfig::stop_time_hours), positive, "saves and exits with 75 after so long"),
          frequency("report_freq", of(&TrainingConfig::report_freq), "how often a line of the log is written"),
          choice("on_nonfinite", of(&TrainingConfig::on_nonfinite), {{"skip", OnNonFinite::kSkip}, {"stop", OnNonFinite::kStop}}, {},
                 "an update with an infinite or NaN gradient is skipped, or ends the run with exit code 78"),
          whole("max_nonfinite", of(&TrainingConfig::max_nonfinite), kLimit, "this many in a row end the run with exit code 78"),
      });
}

ReadResult read_metrics(const YamlNode& node, std::vector<std::string>& metrics) {
  const std::vector<std::string> built{"loss", "perplexity", "bleu", "chrf"}, later{"accuracy", "macro_f1", "rouge"};
  if (node.kind != YamlNode::Kind::kList || node.items.empty())
    return not_a("not a list of metrics", node, "a list of loss, perplexity, bleu, chrf");
  std::vector<std::string> read;
  for (const YamlNode& item : node.items) {
    if (std::count(built.begin(), built.end(), item.scalar) == 0) return wrong_word(item, built, later);
    if (std::count(read.begin(), read.end(), item.scalar) > 0) return not_a("given twice", item, "each metric once");
    read.push_back(item.scalar);
  }
  metrics = read;
  return std::nullopt;
}

std::string metrics_text(const std::vector<std::string>& metrics) {
  std::string text;
  for (const std::string& metric : metrics) text += (text.empty() ? "[" : ", ") + metric;
  return text + "]";
}

}  // namespace

Section training_section() {
  Section section{.name = "training", .help = "Batches, optimizer, schedule and limits.", .change = Change::kNumbers, .keys = {}};
  for (std::vector<Key> keys : {update_keys(), optimizer_keys(), schedule_keys(), loss_keys(), limit_keys()}) {
    section.keys.insert(section.keys.end(), keys.begin(), keys.end());
  }
  return section;
}

Section validation_section() {
  const auto of = in(&Config::training);
  const auto stopping = in(&Config::training, &TrainingConfig::early_stopping);
  return {
      .name = "validation",
      .help = "When the model is judged, and by what.",
      .keys = {
          frequency("valid_freq", of(&TrainingConfig::valid_freq), "how often validation runs"),
          member_key("valid_metrics", "a list of loss, perplexity, bleu, chrf", "the first decides which checkpoint is best",
                     of(&TrainingConfig::valid_metrics), read_metrics, metrics_text),
          choice(
              "tokenize", of(&TrainingConfig::tokenize), {kBleuTokenizers.begin(), kBleuTokenizers.end()}, {},
              "how BLEU finds words, here and in evaluate --config: by Western punctuation, Unicode punctuation, each Chinese character, "
              "each character, blanks alone; a change starts its best anew"),
          whole_or("null", "early_stopping", stopping(&EarlyStoppingConfig::validations), kLimit,
                   "this many validations in a row without a new best end the run"),
          choice("early_stopping_on", stopping(&EarlyStoppingConfig::on),
                 {{"first", EarlyStoppingOn::kFirst}, {"all", EarlyStoppingOn::kAll}, {"any", EarlyStoppingOn::kAny}}, {},
                 "which of valid_metrics must be without a new best"),
          real("early_stopping_epsilon", stopping(&EarlyStoppingConfig::epsilon), {.least = 0}, "a new best is better by more than this")}};
}

namespace {

ReadResult read_reset(const YamlNode& node, Reset& reset) {
  std::vector<std::string> words;
  for (const NamedReset& reset_of : kResets) words.emplace_back(reset_of.name);
  if (node.kind != YamlNode::Kind::kList) return not_a("not a list", node, "a list of " + one_of(words));
  Reset read;
  for (const YamlNode& item : node.items) {
    const auto named = std::ranges::find(kResets, item.scalar, &NamedReset::name);
    if (named == kResets.end()) return wrong_word(item, words, {});
    read.*(named->part) = true;
  }
  reset = read;
  return std::nullopt;
}

std::string reset_text(const Reset& reset) {
  return "[" + describe(reset) + "]";
}

}  // namespace

Section checkpoint_section() {
  const auto of = in(&Config::checkpoint);
  return {
      .name = "checkpoint",
      .help = "What is kept on disk, and what a start continues from.",
      .keys = {frequency("save_freq", in(&Config::training)(&TrainingConfig::save_freq), "how often a checkpoint is written"),
               whole("keep_checkpoint", of(&CheckpointConfig::keep_checkpoint), {.least = 2, .most = 1000000}, "newest that are kept"),
               whole("keep_best", of(&CheckpointConfig::keep_best), {.least = 0, .most = 1000000},
                     "0: only the newest are kept; else the best by each metric too"),
               boolean("async_save", of(&CheckpointConfig::async_save), "training goes on while a checkpoint is written"),
               whole("max_failed_saves", of(&CheckpointConfig::max_failed_saves), {.least = 1, .most = 1000000},
                     "this many in a row end the run with exit code 79"),
               path("resume", of(&CheckpointConfig::resume), "auto, never, or the path of a checkpoint",
                    "auto: the newest whole checkpoint of run_dir, if there is one"),
               member_key("reset", "a list of optimizer, data, scheduler, metrics",
                          "what a resume starts fresh, once: moments; the place in the text, which may be other text; the step that the "
                          "learning rate counts from; best values",
                          of(&CheckpointConfig::reset), read_reset, reset_text),
               path("init_from", of(&CheckpointConfig::init_from), "null, or the path of a run, a checkpoint or an exported model",
                    "whose weights a new run starts with, by name and shape, and whose vocabulary it uses")}};
}

}  // namespace weft
