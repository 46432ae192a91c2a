#include <unistd.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "inference/decoding_memory.h"
#include "inference/target_scorer.h"
#include "launcher/ranks/deal_lines.h"
#include "launcher/ranks/together.h"
#include "launcher/standard_streams.h"
#include "launcher/verbs.h"
#include "launcher/verbs/decoding_run.h"
#include "launcher/verbs/pieces.h"
#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft {
namespace {

/// Lines of two files side by side: a source, its target, the next source ...
class FilePair {
 public:
  FilePair(const std::string& source, const std::string& target) : source_(source), target_(target) {}

  /// At most `most` pairs; empty at the end of both files.
  std::vector<std::string> take(std::size_t most) {
    std::vector<std::string> lines;
    while (lines.size() < 2 * most) {
      std::string source, target;
      const bool more = source_.next(source), more_target = target_.next(target);
      if (more != more_target) refuse();
      if (!more) break;
      lines.push_back(std::move(source));
      lines.push_back(std::move(target));
    }
    return lines;
  }

 private:
  [[noreturn]] void refuse() {
    for (std::string rest; source_.next(rest);) {
    }
    for (std::string rest; target_.next(rest);) {
    }
    fail_input(fmt::format("score: {} has {} lines, {} has {}\n  expected  a target for every source", source_.path(), source_.number(),
                           target_.path(), target_.number()));
  }

  LineReader source_, target_;
};

/// Lines `src<TAB>tgt` of stdin, as FilePair gives them.
class TabbedInput {
 public:
  std::vector<std::string> take(std::size_t most) {
    std::vector<std::string> lines;
    for (const std::string& line : input_.take(most)) {
      ++number_;
      const auto tabs = std::ranges::count(line, '\t');
      if (tabs != 1) fail_input(fmt::format("stdin:{}: {} tabs\n  expected  one, between source and target", number_, tabs));
      const std::size_t tab = line.find('\t');
      lines.push_back(line.substr(0, tab));
      lines.push_back(line.substr(tab + 1));
    }
    return lines;
  }

 private:
  LineInput input_{STDIN_FILENO};
  std::int64_t number_ = 0;
};

/// How a score is printed.
struct ScoreForm {
  bool words = false, json = false, pieces = false;
};

std::string line_of(const ScoredPair& pair, const LoadedModel& loaded, const ScoreForm& form) {
  const double sum = std::accumulate(pair.log_probs.begin(), pair.log_probs.end(), 0.0);
  const auto pieces = [&] { return pieces_of(loaded.source(), pair.source, loaded.target(), pair.target); };
  if (form.json) {
    Json object = Json::object();
    object.set("log_prob", sum);
    if (form.words) object.set("word_scores", Json::Array(pair.log_probs.begin(), pair.log_probs.end()));
    if (form.words || form.pieces) set_pieces(object, pieces());
    return object.dump();
  }
  std::string text = fmt::format("{:.6f}", sum);
  for (std::size_t i = 0; form.words && i < pair.log_probs.size(); ++i) text += fmt::format(" {:.6f}", pair.log_probs[i]);
  if (form.pieces) text += text_of(pieces());
  return text;
}

/// What `weft score` is asked.
struct ScoreOptions {
  ModelOptions model;
  bool pieces = false;
  std::string source_file, target_file;
};

/// Nothing is searched or drawn.
const UsedKeys& scoring_keys() {
  static const UsedKeys used{"score", {"decoding.batch_size", "decoding.scores", "precision.*", "device"}, {}};
  return used;
}

int run_score(Job& job, const ScoreOptions& asked) {
  std::optional<FilePair> files;
  std::optional<DecodingRun> run;
  together(job.control(), [&] {
    if (asked.source_file.empty() != asked.target_file.empty()) fail_input("score: --src and --tgt are given together, or neither");
    if (!asked.source_file.empty() && job.is_root()) files.emplace(asked.source_file, asked.target_file);
    run.emplace(job, DecodingOptions{asked.model.model, {asked.model.sets, scoring_keys()}, scoring_memory});
  });
  const TargetScorer scorer(run->problem(), run->loaded().source(), run->loaded().target(), run->config().model.max_length);
  const auto warn = [&](const std::string& text) { run->warn(text); };
  const ScoreForm form{.words = run->config().decoding.scores == PrintedScores::kWord, .json = asked.model.json, .pieces = asked.pieces};
  const auto answer = [&](std::span<const std::string> lines, std::int64_t first) {
    std::vector<LinePair> pairs;
    for (std::size_t i = 0; i < lines.size(); i += 2) pairs.push_back({.source = lines[i], .target = lines[i + 1]});
    Lines answers;
    for (const ScoredPair& pair : scorer.score(run->context(), pairs, first + 1, warn)) {
      answers.push_back(line_of(pair, run->loaded(), form));
    }
    return answers;
  };
  TabbedInput input;
  const auto read = [&](std::size_t most) { return files ? files->take(most) : input.take(most); };
  deal_stream(job.control(), {.read = read, .write = write_stdout}, {.lines_per_item = 2, .answer = answer});
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

Action score_verb(Options& options) {
  const auto asked = std::make_shared<ScoreOptions>();
  add_model_options(options, asked->model, scoring_keys());
  add_pieces_option(options, asked->pieces);
  options.path("--src", asked->source_file, "FILE", "sources, a line each; without --src and --tgt stdin has lines src<TAB>tgt");
  options.path("--tgt", asked->target_file, "FILE", "targets, a line each");
  return [asked] { return on_ranks([&](Job& job) { return run_score(job, *asked); }); };
}

}  // namespace weft
