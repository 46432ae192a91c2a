#include "launcher/config/checks.h"

#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

namespace weft {
namespace {

using Conflicts = std::vector<Conflict>;

void add(Conflicts& conflicts, std::string what, std::string expected, std::vector<std::string> keys) {
  conflicts.push_back({{.path = keys.front(), .what = std::move(what), .expected = std::move(expected)}, std::move(keys)});
}

std::int64_t kv_heads(const StackConfig& stack) {
  return stack.num_kv_heads > 0 ? stack.num_kv_heads : stack.num_heads;
}

void check_heads(const ModelConfig& model, Conflicts& conflicts) {
  for (const StackConfig* stack : {&model.encoder, &model.decoder}) {
    const std::int64_t heads = stack->num_heads, kv_heads = stack->num_kv_heads;
    const bool divides = stack->head_dim > 0 || model.hidden_size % heads == 0;
    const std::int64_t dim = stack->head_dim > 0 ? stack->head_dim : model.hidden_size / heads;
    const std::size_t before = conflicts.size();
    if (!divides) {
      add(conflicts, fmt::format("{} does not divide model.hidden_size = {}", heads, model.hidden_size),
          divisors(model.hidden_size) + ", or model.head_dim", {"model.num_heads", "model.hidden_size"});
    }
    if (kv_heads > 0 && heads % kv_heads != 0) {
      add(conflicts, fmt::format("{} does not divide model.num_heads = {}", kv_heads, heads), divisors(heads),
          {"model.num_kv_heads", "model.num_heads"});
    }
    if (divides && model.positions == Positions::kRope && dim % 2 != 0) {
      add(conflicts, fmt::format("rope turns pairs of numbers, and a head has {}", dim), "heads of an even size, or other positions",
          {"model.positions", "model.head_dim", "model.num_heads", "model.hidden_size"});
    }
    if (conflicts.size() > before) return;
  }
}

/// The halves' slowest rate divides by their width less one.
void check_positions(const ModelConfig& model, Conflicts& conflicts) {
  if (model.positions != Positions::kSinusoidalHalves || (model.hidden_size % 2 == 0 && model.hidden_size >= 4)) return;
  add(conflicts, fmt::format("sinusoidal_halves cuts model.hidden_size = {} into two halves", model.hidden_size),
      "an even hidden_size, at least 4", {"model.positions", "model.hidden_size"});
}

void check_tensor_parallel(const Config& c, Conflicts& conflicts) {
  const StackConfig &encoder = c.model.encoder, &decoder = c.model.decoder;
  for (const auto& [key, size] : {std::pair{"model.num_heads", encoder.num_heads},
                                  {"model.num_heads", decoder.num_heads},
                                  {"model.num_kv_heads", kv_heads(encoder)},
                                  {"model.num_kv_heads", kv_heads(decoder)},
                                  {"model.ffn_size", encoder.ffn_size},
                                  {"model.ffn_size", decoder.ffn_size}}) {
    if (size % c.parallel.tensor == 0) continue;
    add(conflicts, fmt::format("{} does not divide {} = {}", c.parallel.tensor, key, size), divisors(shared_by_tensor(c.model)),
        {"parallel.tensor", key});
    return;
  }
}

void check_embeddings(const Config& c, Conflicts& conflicts) {
  if (c.model.tied_embeddings == TiedEmbeddings::kAll && !c.vocab.share_vocab) {
    add(conflicts, "all needs one vocabulary for both sides, and vocab.share_vocab is false", "decoder or none, or vocab.share_vocab: true",
        {"model.tied_embeddings", "vocab.share_vocab"});
  }
  const bool two_files = !c.vocab.src.empty() && !c.vocab.tgt.empty() && c.vocab.src != c.vocab.tgt;
  if (two_files && c.vocab.share_vocab) {
    add(conflicts, "another file than vocab.src, and vocab.share_vocab is true", "the same file twice, or vocab.share_vocab: false",
        {"vocab.tgt", "vocab.src", "vocab.share_vocab"});
  }
  const bool learned = c.vocab.src.empty() || (c.vocab.tgt.empty() && !c.vocab.share_vocab);
  if (c.vocab.type == VocabType::kSentencePiece && learned && c.vocab.byte_fallback && c.vocab.vocab_size < 260) {
    add(conflicts, fmt::format("{} has no room for 256 bytes, 3 special pieces and a character", c.vocab.vocab_size),
        "at least 260, or vocab.byte_fallback: false", {"vocab.vocab_size", "vocab.byte_fallback"});
  }
}

/// The peak that a factor of the noam rule stands for.
double noam_peak(const Config& c) {
  const double warmup = static_cast<double>(std::max<std::int64_t>(c.training.schedule.warmup_steps, 1));
  return c.training.schedule.learning_rate / std::sqrt(static_cast<double>(c.model.hidden_size) * warmup);
}

void check_schedule(const Config& c, Conflicts& conflicts) {
  const ScheduleConfig& s = c.training.schedule;
  const std::int64_t steps = c.training.limits.train_steps;
  if (s.learning_rate > 0.1 && c.optimizer.kind != OptimizerKind::kSgd) {
    add(conflicts, fmt::format("{} is most likely a noam factor; here it is the peak", s.learning_rate),
        fmt::format("at most 0.1 with Adam; as a factor it is {:.4g} = {} / sqrt({} x {})", noam_peak(c), s.learning_rate,
                    c.model.hidden_size, s.warmup_steps),
        {"training.learning_rate", "training.optimizer"});
  }
  for (const auto& [name, value] : {std::pair{"training.warmup_init_lr", s.warmup_init_lr}, {"training.min_lr", s.min_lr}}) {
    if (value <= s.learning_rate) continue;
    add(conflicts, fmt::format("{} is above training.learning_rate = {}", value, s.learning_rate), "at most the peak",
        {name, "training.learning_rate"});
  }
  if (s.kind == LrScheduler::kInverseSqrt || s.kind == LrScheduler::kConstant) return;
  if (s.kind == LrScheduler::kWsd && (steps == 0 || s.decay_steps == 0)) {
    add(conflicts, "wsd needs to know where the run ends and how long the tail is", "training.train_steps and training.decay_steps",
        {"training.lr_scheduler", "training.train_steps", "training.decay_steps"});
    return;
  }
  const std::int64_t end = s.kind == LrScheduler::kWsd ? steps - s.decay_steps : s.decay_steps > 0 ? s.decay_steps : steps;
  if (end == 0 && s.kind != LrScheduler::kWsd) {
    add(conflicts, "needs to know the step at which training.min_lr is reached", "training.decay_steps or training.train_steps",
        {"training.lr_scheduler", "training.decay_steps", "training.train_steps"});
  } else if (s.warmup_steps > end || end < 0) {
    add(conflicts,
        fmt::format("the warm-up ends at step {}, after the decay {} at step {}", s.warmup_steps,
                    s.kind == LrScheduler::kWsd ? "begins" : "ends", std::max<std::int64_t>(end, 0)),
        fmt::format("at most {}", std::max<std::int64_t>(end, 0)),
        {"training.warmup_steps", "training.decay_steps", "training.train_steps"});
  }
}

void check_lengths(const Config& c, Conflicts& conflicts) {
  if (c.training.batch_type == BatchType::kTokens && c.training.batch_size < c.model.max_length) {
    add(conflicts, fmt::format("{} tokens cannot hold a sequence of model.max_length = {}", c.training.batch_size, c.model.max_length),
        fmt::format("at least {}", c.model.max_length), {"training.batch_size", "model.max_length", "training.batch_type"});
  }
  if (c.training.micro_batch_size > 0 && c.training.micro_batch_size < c.model.max_length) {
    add(conflicts,
        fmt::format("{} tokens cannot hold a sequence of model.max_length = {}", c.training.micro_batch_size, c.model.max_length),
        fmt::format("at least {}, or auto", c.model.max_length), {"training.micro_batch_size", "model.max_length"});
  }
}

void check_decoding(const Config& c, Conflicts& conflicts) {
  if (!c.decoding.sample && c.decoding.n_best > c.decoding.beam_size) {
    add(conflicts, fmt::format("{} is more than decoding.beam_size = {}", c.decoding.n_best, c.decoding.beam_size),
        fmt::format("at most {}", c.decoding.beam_size), {"decoding.n_best", "decoding.beam_size"});
  }
  if (c.decoding.max_length > c.model.max_length) {
    add(conflicts, fmt::format("{} is more than model.max_length = {}", c.decoding.max_length, c.model.max_length),
        fmt::format("at most {}", c.model.max_length), {"decoding.max_length", "model.max_length"});
  }
  const std::int64_t longest = c.decoding.max_length > 0 ? c.decoding.max_length : c.model.max_length;
  if (c.decoding.min_length >= longest) {
    add(conflicts, fmt::format("{} leaves no room for the end token below {} tokens", c.decoding.min_length, longest),
        fmt::format("below {}", longest), {"decoding.min_length", "decoding.max_length", "model.max_length"});
  }
}

}  // namespace

std::string divisors(std::int64_t number) {
  std::vector<std::int64_t> found;
  for (std::int64_t d = 1; d <= number && found.size() <= 12; ++d) {
    if (number % d == 0) found.push_back(d);
  }
  if (found.size() > 12) return fmt::format("a divisor of {}", number);
  std::string text;
  for (std::size_t i = 0; i < found.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == found.size() ? " or " : ", ") + std::to_string(found[i]);
  }
  return text;
}

std::int64_t shared_by_tensor(const ModelConfig& model) {
  return std::gcd(std::gcd(kv_heads(model.encoder), kv_heads(model.decoder)), std::gcd(model.encoder.ffn_size, model.decoder.ffn_size));
}

std::vector<Conflict> check_values(const Config& config) {
  Conflicts conflicts;
  check_heads(config.model, conflicts);
  check_positions(config.model, conflicts);
  check_tensor_parallel(config, conflicts);
  check_embeddings(config, conflicts);
  check_schedule(config, conflicts);
  check_lengths(config, conflicts);
  check_decoding(config, conflicts);
  if (!config.task) add(conflicts, "missing", "translation", {"task"});
  if (!config.data.prepared.empty() && !config.data.train.empty()) {
    add(conflicts, "given beside data.train", "one of the two", {"data.prepared", "data.train"});
  }
  return conflicts;
}

}  // namespace weft
