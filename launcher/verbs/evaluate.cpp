#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/text/text_file.h"
#include "data/text/utf8.h"
#include "inference/decoding_memory.h"
#include "inference/metrics/bleu.h"
#include "inference/metrics/chrf.h"
#include "inference/metrics/paired_bootstrap.h"
#include "inference/metrics/ter.h"
#include "launcher/config/config.h"
#include "launcher/ranks/together.h"
#include "launcher/standard_streams.h"
#include "launcher/verbs.h"
#include "launcher/verbs/translate_lines.h"
#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft {
namespace {

/// What `weft evaluate` is asked.
struct EvaluateOptions {
  ModelOptions model;
  std::vector<std::string> config_files;
  std::string source, hypotheses, second_hypotheses;
  std::vector<std::string> references;
  std::vector<std::string> metrics{"bleu", "chrf", "ter"};
  std::string tokenizer;  // empty: not given
};

/// Texts are judged, nothing is printed about single ones.
const UsedKeys& judged_keys() {
  static const UsedKeys used{"evaluate", {"decoding.*", "precision.*", "device", "seed"}, {"decoding.scores", "decoding.alignment"}};
  return used;
}

/// Of --set beside --config, which says what is judged too.
UsedKeys configured_keys() {
  UsedKeys used = judged_keys();
  for (const char* name : {"task", "run_dir", "data.valid", "data.prepared", "validation.tokenize"}) used.names.emplace_back(name);
  return used;
}

std::vector<std::string> read_lines(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    if (reader.truncated()) fail_input(fmt::format("{}:{}: longer than {} bytes", path, reader.number(), kMaxLineBytes));
    if (const std::size_t broken = find_invalid_utf8(line); broken != std::string::npos) {
      fail_input(fmt::format("{}:{}: {}", path, reader.number(), describe_invalid_utf8(line, broken)));
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) fail_input(path + ": no lines\n  expected  a sentence a line");
  return lines;
}

/// A file with its lines.
struct TextFile {
  std::string path;
  std::vector<std::string> lines;
};

TextFile read_file(const std::string& path) {
  return {path, read_lines(path)};
}

void require_as_many(const TextFile& file, const TextFile& expected) {
  if (file.lines.size() == expected.lines.size()) return;
  fail_input(fmt::format("evaluate: unequal numbers of lines\n  found     {} in {}\n  expected  {} as in {}", file.lines.size(), file.path,
                         expected.lines.size(), expected.path));
}

/// What is compared.
struct Comparison {
  std::vector<Metric> metrics;
  TextFile hypotheses;  // or, where a model is to write them, the sources
  TextFile second;      // another system's; empty path: none
  std::vector<References> references;
};

std::vector<References> read_references(const std::vector<std::string>& paths, const TextFile& hypotheses) {
  std::vector<References> references(hypotheses.lines.size());
  for (const std::string& path : paths) {
    TextFile file = read_file(path);
    require_as_many(file, hypotheses);
    for (std::size_t i = 0; i < references.size(); ++i) references[i].push_back(std::move(file.lines[i]));
  }
  return references;
}

std::vector<Metric> chosen_metrics(const EvaluateOptions& asked, BleuTokenizer tokenizer) {
  std::vector<Metric> metrics;
  for (const std::string& name : asked.metrics) {
    if (name == "bleu") {
      metrics.push_back(bleu_metric(tokenizer));
    } else if (name == "chrf") {
      metrics.push_back(chrf_metric());
    } else if (name == "chrf++") {
      metrics.push_back(chrf_metric(2));
    } else if (name == "ter") {
      metrics.push_back(ter_metric());
    } else {
      fail_input("evaluate: --metrics: unknown metric\n  found     " + name + "\n  expected  bleu, chrf, chrf++ or ter");
    }
  }
  if (!asked.tokenizer.empty() && std::ranges::count(asked.metrics, "bleu") == 0) {
    fail_input("evaluate: --tokenize without the metric bleu\n  found     --metrics " + fmt::format("{}", fmt::join(asked.metrics, ",")) +
               "\n  expected  bleu among them, or no --tokenize");
  }
  return metrics;
}

void print_score(const Metric& metric, double score, const std::string& references, bool json) {
  if (json) {
    Json object = Json::object();
    object.set("metric", metric.name).set("score", score).set("signature", metric.signature(references));
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} {:.2f} {}\n", metric.name, score, metric.signature(references));
  }
}

void print_comparison(const Metric& metric, const PairedBootstrap& found, const std::string& signature, bool json) {
  if (json) {
    Json object = Json::object();
    object.set("metric", metric.name);
    object.set("score", found.first.score).set("mean", found.first.mean).set("interval", found.first.interval);
    object.set("score2", found.second.score).set("mean2", found.second.mean).set("interval2", found.second.interval);
    object.set("p", found.p_value).set("signature", signature);
    fmt::print("{}\n", object.dump());
  } else {
    fmt::print("{} {:.2f} (mean {:.2f} ± {:.2f}) and {:.2f} (mean {:.2f} ± {:.2f}), p = {:.4f} {}\n", metric.name, found.first.score,
               found.first.mean, found.first.interval, found.second.score, found.second.mean, found.second.interval, found.p_value,
               signature);
  }
}

Comparison read_comparison(const EvaluateOptions& asked, const std::string& output, const std::vector<std::string>& references,
                           BleuTokenizer configured) {
  const BleuTokenizer tokenizer = asked.tokenizer.empty() ? configured : tokenizer_of(asked.tokenizer);
  Comparison comparison{.metrics = chosen_metrics(asked, tokenizer), .hypotheses = read_file(output)};
  comparison.references = read_references(references, comparison.hypotheses);
  const bool bleu = std::ranges::any_of(comparison.metrics, [](const Metric& metric) { return metric.name == "bleu"; });
  if (const std::string trouble = words_not_found(tokenizer, comparison.references); bleu && !trouble.empty()) {
    fmt::print(stderr, "weft: evaluate: {}\n  expected  --tokenize zh or char, or the metric chrf\n", trouble);
  }
  if (!asked.second_hypotheses.empty()) {
    comparison.second = read_file(asked.second_hypotheses);
    require_as_many(comparison.second, comparison.hypotheses);
  }
  return comparison;
}

void print_scores(const Comparison& comparison, bool json) {
  const std::string count = reference_count(comparison.references);
  for (const Metric& metric : comparison.metrics) {
    const std::vector<Statistics> statistics = sentence_statistics(metric, comparison.hypotheses.lines, comparison.references);
    if (comparison.second.path.empty()) {
      print_score(metric, metric.score(sum(statistics)), count, json);
      continue;
    }
    const BootstrapOptions options;
    const PairedBootstrap found =
        paired_bootstrap(metric, statistics, sentence_statistics(metric, comparison.second.lines, comparison.references), options);
    print_comparison(metric, found, metric.signature(fmt::format("{}|bs:{}|seed:{}", count, options.samples, options.seed)), json);
  }
  flush_stdout();
}

/// A model and the files it is judged on.
struct ModelQuestion {
  std::string model, source;
  std::vector<std::string> references;
  Overrides overrides;
  BleuTokenizer tokenizer = BleuTokenizer::k13a;
};

/// Two files: those of data.valid, or the copies that preparing them has left.
ParallelText validation_text(const Config& config) {
  if (!config.data.valid.src.empty()) return config.data.valid;
  const std::string folder = (config.data.prepared.empty() ? config.run_dir + "/prepared" : config.data.prepared) + "/valid/";
  if (!std::filesystem::exists(folder + "text.src")) return {};
  return {.src = folder + "text.src", .tgt = folder + "text.tgt"};
}

/// From --model, --src and --ref; what of them is not given, from the run and the validation files of --config, with its section decoding.
ModelQuestion model_question(const EvaluateOptions& asked) {
  ModelQuestion question{asked.model.model, asked.source, asked.references, {asked.model.sets, judged_keys()}};
  if (!asked.config_files.empty()) {
    const LoadedConfig loaded = load_config(asked.config_files, asked.model.sets, ConfigUse::kRead);
    configured_keys().require(loaded.set_keys);
    const Config& config = loaded.config;
    question.overrides = {decoding_sets(config), {"evaluate", {"*"}, {}}};
    question.tokenizer = config.training.tokenize;
    if (question.model.empty()) question.model = config.run_dir;
    if (question.source.empty() && question.references.empty()) {
      const ParallelText text = validation_text(config);
      question.source = text.src;
      if (!text.tgt.empty()) question.references = {text.tgt};
    }
  }
  if (question.model.empty() || question.source.empty() || question.references.empty()) {
    fail_input(
        "evaluate: the model, the sources or the references are missing\n  expected  --model DIR --src FILE --ref FILE, or --config FILE "
        "with "
        "run_dir "
        "and data.valid");
  }
  return question;
}

int evaluate_model(Job& job, const EvaluateOptions& asked) {
  std::optional<ModelQuestion> question;
  std::optional<Comparison> comparison;
  std::optional<DecodingRun> run;
  together(job.control(), [&] {
    if (!asked.hypotheses.empty() || !asked.second_hypotheses.empty())
      fail_input("evaluate: output and a model\n  expected  --hyp FILE --ref FILE, or a model that writes the output");
    question = model_question(asked);
    if (job.is_root()) comparison = read_comparison(asked, question->source, question->references, question->tokenizer);
  });
  together(job.control(), [&] { run.emplace(job, DecodingOptions{question->model, question->overrides, decoding_memory}); });
  Lines translations = translate_lines(job, *run, comparison ? comparison->hypotheses.lines : Lines{});
  on_root(job.control(), [&] {
    comparison->hypotheses.lines = std::move(translations);
    print_scores(*comparison, asked.model.json);
  });
  return static_cast<int>(ExitCode::kDone);
}

int run_evaluate(Job& job, const EvaluateOptions& asked) {
  if (!asked.model.model.empty() || !asked.config_files.empty() || !asked.source.empty()) return evaluate_model(job, asked);
  on_root(job.control(), [&] {
    if (asked.hypotheses.empty() || asked.references.empty())
      fail_input("evaluate: nothing to compare\n  expected  --hyp FILE --ref FILE, or --model DIR --src FILE --ref FILE, or --config FILE");
    if (!asked.model.sets.empty()) fail_input("evaluate: --set without a model\n  expected  --model or --config");
    print_scores(read_comparison(asked, asked.hypotheses, asked.references, BleuTokenizer::k13a), asked.model.json);
  });
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

Action evaluate_verb(Options& options) {
  const auto asked = std::make_shared<EvaluateOptions>();
  add_model_options(options, asked->model, judged_keys());
  options.paths("-c,--config", asked->config_files, "FILE...",
                "YAML files: the model of run_dir, the files of data.valid, sections decoding and precision");
  options.path("--src", asked->source, "FILE", "sources for --model, a line each");
  options.path("--hyp", asked->hypotheses, "FILE", "output to judge, a line a sentence, detokenised");
  options.path("--hyp2", asked->second_hypotheses, "FILE", "another system's output, for a paired bootstrap of both");
  options.paths("--ref", asked->references, "FILE...",
                "references, a line for each of --hyp or --src; several files are several references");
  options.texts("--metrics", asked->metrics, "NAME,...", "any of bleu, chrf, chrf++, ter; bleu,chrf,ter", ',');
  options.text("--tokenize", asked->tokenizer, "NAME",
               "how BLEU finds words: 13a, intl, zh, char or none; validation.tokenize of --config, else 13a");
  return [asked] { return on_ranks([&](Job& job) { return run_evaluate(job, *asked); }); };
}

}  // namespace weft
