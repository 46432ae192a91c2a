#include <algorithm>
#include <fstream>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "inference/decoding_memory.h"
#include "inference/target_scorer.h"
#include "launcher/decoding_run.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/json.h"

namespace weft {
namespace {

/// Lines of two files side by side.
class FilePair {
 public:
  FilePair(const std::string& source, const std::string& target) : source_(source, open(source)), target_(target, open(target)) {}

  /// At most kLinesTogether pairs; empty at the end of both files.
  std::vector<LinePair> take() {
    std::vector<LinePair> pairs;
    while (pairs.size() < kLinesTogether) {
      LinePair pair;
      const bool more = source_.read(pair.source), more_target = target_.read(pair.target);
      if (more != more_target) refuse();
      if (!more) break;
      pairs.push_back(std::move(pair));
    }
    return pairs;
  }

 private:
  struct Side {
    Side(const std::string& file, std::ifstream stream) : path(file), in(std::move(stream)) {}
    bool read(std::string& line) {
      if (!std::getline(in, line)) return false;
      ++lines;
      return true;
    }
    std::string path;
    std::ifstream in;
    std::int64_t lines = 0;
  };

  static std::ifstream open(const std::string& path) {
    std::ifstream in(path);
    if (!in) fail_input(path + ": cannot be read\n  expected  a text file");
    return in;
  }

  [[noreturn]] void refuse() {
    for (std::string rest; source_.read(rest);) {
    }
    for (std::string rest; target_.read(rest);) {
    }
    fail_input(fmt::format("score: {} has {} lines, {} has {}\n  expected  a target for every source", source_.path, source_.lines,
                           target_.path, target_.lines));
  }

  Side source_, target_;
};

/// Lines `src<TAB>tgt` of stdin; the first has this number.
std::vector<LinePair> take_pairs_of_stdin(std::int64_t first_number) {
  std::vector<LinePair> pairs;
  for (const std::string& line : take_lines_of_stdin()) {
    const std::int64_t number = first_number + static_cast<std::int64_t>(pairs.size());
    const auto tabs = std::ranges::count(line, '\t');
    if (tabs != 1) fail_input(fmt::format("stdin:{}: {} tabs\n  expected  one, between source and target", number, tabs));
    const std::size_t tab = line.find('\t');
    pairs.push_back({.source = line.substr(0, tab), .target = line.substr(tab + 1)});
  }
  return pairs;
}

std::string line_of(const std::vector<double>& log_probs, bool words, bool json) {
  const double sum = std::accumulate(log_probs.begin(), log_probs.end(), 0.0);
  if (json) {
    Json object = Json::object();
    object.set("log_prob", sum);
    if (words) object.set("word_scores", Json::Array(log_probs.begin(), log_probs.end()));
    return object.dump();
  }
  std::string text = fmt::format("{:.6f}", sum);
  if (!words) return text;
  for (const double log_prob : log_probs) text += fmt::format(" {:.6f}", log_prob);
  return text;
}

}  // namespace

int run_score(const Config&, const CommandLine& line) {
  if (line.source_file.empty() != line.target_file.empty()) fail_input("score: --src and --tgt are given together, or neither");
  std::optional<FilePair> files;
  if (!line.source_file.empty()) files.emplace(line.source_file, line.target_file);
  DecodingRun run("score", line.model, line.sets, scoring_arena_bytes);
  const TargetScorer scorer(run.problem(), run.loaded().source(), run.loaded().target(), run.config().model.max_length);
  const auto warn = [&](const std::string& text) { run.warn(text); };
  const bool words = run.config().decoding.scores == PrintedScores::kWord;
  std::int64_t number = 1;
  while (true) {
    const std::vector<LinePair> pairs = files ? files->take() : take_pairs_of_stdin(number);
    if (pairs.empty()) break;
    for (const auto& log_probs : scorer.score(run.context(), pairs, number, warn)) fmt::print("{}\n", line_of(log_probs, words, line.json));
    flush_stdout();
    number += static_cast<std::int64_t>(pairs.size());
  }
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace weft
