#include <fmt/format.h>

#include "data/text_file.h"
#include "data/utf8.h"
#include "inference/metrics/bleu.h"
#include "inference/metrics/chrf.h"
#include "inference/metrics/paired_bootstrap.h"
#include "inference/metrics/ter.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/json.h"

namespace weft {
namespace {

std::vector<std::string> read_lines(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    if (reader.truncated()) fail_input(fmt::format("{}:{}: longer than {} bytes", path, reader.number(), kMaxLineBytes));
    if (find_invalid_utf8(line) != std::string::npos) fail_input(fmt::format("{}:{}: not UTF-8 text", path, reader.number()));
    lines.push_back(std::move(line));
  }
  if (lines.empty()) fail_input(path + ": no lines\n  expected  a sentence a line");
  return lines;
}

void require_as_many(const std::string& path, std::size_t lines, const CommandLine& line, std::size_t expected) {
  if (lines == expected) return;
  fail_input(fmt::format("evaluate: unequal numbers of lines\n  found     {} in {}\n  expected  {} as in {}", lines, path, expected,
                         line.hypotheses));
}

std::vector<References> read_references(const CommandLine& line, std::size_t sentences) {
  std::vector<References> references(sentences);
  for (const std::string& path : line.references) {
    std::vector<std::string> texts = read_lines(path);
    require_as_many(path, texts.size(), line, sentences);
    for (std::size_t i = 0; i < sentences; ++i) references[i].push_back(std::move(texts[i]));
  }
  return references;
}

std::vector<Metric> chosen_metrics(const CommandLine& line) {
  const std::vector<std::string> names = line.metrics.empty() ? std::vector<std::string>{"bleu", "chrf", "ter"} : line.metrics;
  std::vector<Metric> metrics;
  for (const std::string& name : names) {
    if (name == "bleu") {
      metrics.push_back(bleu_metric({.tokenizer = tokenizer_of(line.tokenizer)}));
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

}  // namespace

int run_evaluate(const Config&, const CommandLine& line) {
  if (line.hypotheses.empty() || line.references.empty())
    fail_input("evaluate: no files to compare\n  expected  --hyp FILE --ref FILE\n  note      a model: not supported yet");
  const std::vector<Metric> metrics = chosen_metrics(line);
  const std::vector<std::string> hypotheses = read_lines(line.hypotheses);
  const std::vector<References> references = read_references(line, hypotheses.size());
  const std::string count = reference_count(references);
  std::vector<std::string> second;
  if (!line.second_hypotheses.empty()) {
    second = read_lines(line.second_hypotheses);
    require_as_many(line.second_hypotheses, second.size(), line, hypotheses.size());
  }
  for (const Metric& metric : metrics) {
    const std::vector<Statistics> statistics = sentence_statistics(metric, hypotheses, references);
    if (second.empty()) {
      print_score(metric, metric.score(sum(statistics)), count, line.json);
      continue;
    }
    const BootstrapOptions options;
    const PairedBootstrap found = paired_bootstrap(metric, statistics, sentence_statistics(metric, second, references), options);
    print_comparison(metric, found, metric.signature(fmt::format("{}|bs:{}|seed:{}", count, options.samples, options.seed)), line.json);
  }
  if (std::fflush(stdout) != 0) throw Error(ExitCode::kInternal, "stdout cannot be written");
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace weft
