#include "launcher/config/keys/tables.h"

namespace weft {

Section run_section() {
  const auto of = in();
  return {
      .name = "",
      .help = "What is trained, where it goes, and on what.",
      .keys = {
          on_change(Change::kModel, choice("task", of(&Config::task), {{"translation", Task::kTranslation}},
                                           {"summarization", "classification", "language_model"}, "what is learned; required")),
          text("preset", of(&Config::preset), "null, " + one_of(preset_names()),
               "fills vocab, model, training and decoding with a known shape", read_preset),
          path("run_dir", of(&Config::run_dir), "a path, or null",
               "where checkpoints, logs and the vocabulary go; created when missing; owned by one job at a time; train needs it"),
          on_change(Change::kNumbers, whole("seed", of(&Config::seed), {.least = 0}, "of weights, dropout and the order of the data")),
          choice("device", of(&Config::device), {{"auto", DeviceChoice::kAuto}, {"cpu", DeviceChoice::kCpu}}, {"cuda"}, "what computes"),
          fixed("deterministic", "true", {"false"}, "same layout, machine type and thread count: same bits, also across resume"),
      }};
}

Section precision_section() {
  return {
      .name = "precision",
      .help = "What numbers are computed in.",
      .keys = {choice("dtype", in()(&Config::dtype), {{"auto", Precision::kAuto}, {"fp32", Precision::kFp32}, {"bf16", Precision::kBf16}},
                      {"tf32"}, "auto: bf16 where the device multiplies it faster (CPUs with AMX), else fp32")}};
}

Section parallel_section() {
  const auto of = in(&Config::parallel);
  return {.name = "parallel",
          .help = "How the ranks of a job share the work.",
          .keys = {
              whole_or("auto", "data", of(&ParallelConfig::data), {.least = 1, .most = 1 << 20},
                       "ranks that see different sentences; auto: all ranks / tensor"),
              whole("tensor", of(&ParallelConfig::tensor), {.least = 1, .most = 1 << 20},
                    "ranks that share every matrix, best on one host; divides num_heads, ffn_size and the number of ranks"),
              choice("zero_stage", of(&ParallelConfig::zero_stage), {{"0", 0}, {"1", 1}, {"2", 2}}, {"3"},
                     "0 replicates, 1 shards the optimizer, 2 the gradients too; no difference with one rank"),
              whole("bucket_mb", of(&ParallelConfig::bucket_mb), {.least = 1, .most = 100000}, "MB of gradients sent together"),
              real("memory_limit", of(&ParallelConfig::memory_limit), {.least = 0, .most = 1, .above = true},
                   "share of device memory (CPU: of what the host grants the job) the dry run may fill"),
              real("hang_timeout", of(&ParallelConfig::hang_timeout_seconds), {.least = 0, .above = true},
                   "seconds without progress after which the job ends with exit code 76"),
          }};
}

Section decoding_section() {
  const auto of = in(&Config::decoding);
  return {.name = "decoding",
          .help = "How text is generated, by validation and by translate.",
          .keys = {
              whole("beam_size", of(&DecodingConfig::beam_size), {.least = 1, .most = 1024}, "hypotheses kept; 1: greedy"),
              whole("n_best", of(&DecodingConfig::n_best), {.least = 1, .most = 1024},
                    "outputs printed a sentence, at most beam_size (sample: any number)"),
              choice("length_penalty", of(&DecodingConfig::length_penalty),
                     {{"avg", LengthPenalty::kAverage}, {"wu", LengthPenalty::kWu}, {"none", LengthPenalty::kNone}}, {},
                     "avg: score / length^alpha; wu: score / ((5 + length) / 6)^alpha"),
              real("alpha", of(&DecodingConfig::alpha), {.least = 0, .most = 100}, "exponent of the length penalty"),
              whole("min_length", of(&DecodingConfig::min_length), {.least = 0}, "tokens before the end token may come"),
              whole_or("null", "max_length", of(&DecodingConfig::max_length), {.least = 1},
                       "tokens, end token included, at most model.max_length; null: that"),
              real("max_length_ratio", of(&DecodingConfig::max_length_ratio), {.least = 0, .above = true},
                   "output is at most this x source tokens + 10"),
              boolean("sample", of(&DecodingConfig::sample),
                      "draw n_best outputs a sentence instead of searching; seed and line number decide"),
              real("temperature", of(&DecodingConfig::temperature), {.least = 0, .most = 100, .above = true},
                   "of sampling: logits are divided by it"),
              whole("top_k", of(&DecodingConfig::top_k), {.least = 0}, "sample from this many best; 0: all"),
              real("top_p", of(&DecodingConfig::top_p), {.least = 0, .most = 1, .above = true},
                   "sample from the fewest best that together have this probability, after top_k"),
              whole("no_repeat_ngram", of(&DecodingConfig::no_repeat_ngram), {.least = 0},
                    "no n-gram of this many tokens twice in an output; 0: off"),
              real("repetition_penalty", of(&DecodingConfig::repetition_penalty), {.least = 1, .most = 100},
                   "logits of tokens of the output so far: positive ones divided by it, negative ones multiplied (CTRL); 1: off"),
              boolean("allow_unk", of(&DecodingConfig::allow_unk), "whether the unknown token may be generated"),
              choice("scores", of(&DecodingConfig::scores),
                     {{"none", PrintedScores::kNone}, {"sentence", PrintedScores::kSentence}, {"word", PrintedScores::kWord}}, {},
                     "print scores beside the text; score: word adds a number a token"),
              choice("alignment", of(&DecodingConfig::alignment),
                     {{"none", PrintedAlignment::kNone}, {"hard", PrintedAlignment::kHard}, {"soft", PrintedAlignment::kSoft}}, {},
                     "print alignments beside the text: by the last decoder layer's cross-attention, averaged over its heads"),
              whole("batch_size", of(&DecodingConfig::batch_size), {.least = 1, .suffix = true}, "source tokens decoded together"),
          }};
}

}  // namespace weft
