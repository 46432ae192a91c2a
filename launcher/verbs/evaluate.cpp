#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "data/text/utf8.h"
#include "inference/decoding_memory.h"
#include "inference/metrics/bleu.h"
#include "inference/metrics/chrf.h"
#include "inference/metrics/paired_bootstrap.h"
#include "inference/metrics/ter.h"
#include "launcher/ranks/together.h"
#include "launcher/standard_streams.h"
#include "launcher/verbs.h"
#include "launcher/verbs/translate_lines.h"
#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft {
namespace {

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

std::vector<Metric> chosen_metrics(const CommandLine& line, BleuTokenizer tokenizer) {
  const std::vector<std::string> names = line.metrics.empty() ? std::vector<std::string>{"bleu", "chrf", "ter"} : line.metrics;
  std::vector<Metric> metrics;
  for (const std::string& name : names) {
    if (name == "bleu") {
      metrics.push_back(bleu_metric({.tokenizer = tokenizer}));
    } else if (name == "chrf") {
      metrics.push_back(chrf_metric());
    } else if (name == "chrf++") {
      metrics.push_back(chrf_metric({.word_order = 2}));
    } else if (name == "ter") {
      metrics.push_back(ter_metric());
    } else {
      fail_input("evaluate: --metrics: unknown metric\n  found     " + name + "\n  expected  bleu, chrf, chrf++ or ter");
    }
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

Comparison read_comparison(const CommandLine& line, const std::string& output, const std::vector<std::string>& references,
                           BleuTokenizer configured) {
  const BleuTokenizer tokenizer = line.tokenizer.empty() ? configured : tokenizer_of(line.tokenizer);
  Comparison comparison{.metrics = chosen_metrics(line, tokenizer), .hypotheses = read_file(output)};
  comparison.references = read_references(references, comparison.hypotheses);
  const bool bleu = std::ranges::any_of(comparison.metrics, [](const Metric& metric) { return metric.name == "bleu"; });
  if (const std::string trouble = words_not_found(tokenizer, comparison.references); bleu && !trouble.empty()) {
    fmt::print(stderr, "weft: evaluate: {}\n  expected  --tokenize zh or char, or the metric chrf\n", trouble);
  }
  if (!line.second_hypotheses.empty()) {
    comparison.second = read_file(line.second_hypotheses);
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
  std::vector<std::string> sets;
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
ModelQuestion model_question(const CommandLine& line) {
  ModelQuestion question{line.model, line.source_file, line.references, line.sets};
  if (!line.config_files.empty()) {
    const Config config = load_config(line.config_files, line.sets, ConfigUse::kRead).config;
    question.sets = decoding_sets(config);
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
        "evaluate: a model, sources or references are missing\n  expected  --model DIR --src FILE --ref FILE, or --config FILE with "
        "run_dir "
        "and data.valid");
  }
  return question;
}

int evaluate_model(const CommandLine& line, Job& job) {
  std::optional<ModelQuestion> question;
  std::optional<Comparison> comparison;
  std::optional<DecodingRun> run;
  together(job.control(), [&] {
    if (!line.hypotheses.empty() || !line.second_hypotheses.empty())
      fail_input("evaluate: output and a model\n  expected  --hyp FILE --ref FILE, or a model that writes the output");
    question = model_question(line);
    if (job.is_root()) comparison = read_comparison(line, question->source, question->references, question->tokenizer);
  });
  together(job.control(), [&] { run.emplace(job, DecodingOptions{"evaluate", question->model, question->sets, decoding_memory}); });
  std::vector<std::string> sources;
  if (comparison) sources = std::move(comparison->hypotheses.lines);
  std::vector<std::string> translations = translate_lines(job, *run, std::move(sources));
  on_root(job.control(), [&] {
    comparison->hypotheses.lines = std::move(translations);
    print_scores(*comparison, line.json);
  });
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

int run_evaluate(const CommandLine& line, Job& job) {
  if (!line.model.empty() || !line.config_files.empty() || !line.source_file.empty()) return evaluate_model(line, job);
  on_root(job.control(), [&] {
    if (line.hypotheses.empty() || line.references.empty())
      fail_input("evaluate: nothing to compare\n  expected  --hyp FILE --ref FILE, or --model DIR --src FILE --ref FILE, or --config FILE");
    if (!line.sets.empty()) fail_input("evaluate: --set without a model\n  expected  --model or --config");
    print_scores(read_comparison(line, line.hypotheses, line.references, BleuTokenizer::k13a), line.json);
  });
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace weft
