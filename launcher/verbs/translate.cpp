#include <unistd.h>

#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "inference/decoding_memory.h"
#include "inference/translator.h"
#include "launcher/ranks/deal_lines.h"
#include "launcher/ranks/together.h"
#include "launcher/standard_streams.h"
#include "launcher/verbs.h"
#include "launcher/verbs/decoding_run.h"
#include "launcher/verbs/pieces.h"
#include "runtime/files/json.h"

namespace weft {
namespace {

/// How an output is printed.
struct LineForm {
  bool n_best = false;  // `id ||| text ||| features ||| score`, a line for every output
  PrintedScores scores = PrintedScores::kNone;
  PrintedAlignment alignment = PrintedAlignment::kNone;
  bool json = false;
  bool pieces = false;
  const Vocabulary& source;
  const Vocabulary& target;

  Pieces pieces_of(const Translation& output) const { return weft::pieces_of(source, output.source, target, output.tokens); }
};

std::string features_of(const Translation& output, PrintedScores scores) {
  std::string text = fmt::format("log_prob= {:.6f}", output.log_prob);
  if (scores != PrintedScores::kWord) return text;
  text += " word_scores=";
  for (const double log_prob : output.token_log_probs) text += fmt::format(" {:.6f}", log_prob);
  return text;
}

/// `0-0 1-2`, source-target; or the weights of one target token after the other, `0.9,0.1 0.2,0.8`.
std::string alignment_of(const Alignment& alignment, PrintedAlignment printed) {
  std::vector<std::string> words;
  if (printed == PrintedAlignment::kHard) {
    for (const auto& [source, target] : hard_alignment(alignment)) words.push_back(fmt::format("{}-{}", source, target));
  } else {
    for (const std::vector<float>& row : alignment) words.push_back(fmt::format("{:.6g}", fmt::join(row, ",")));
  }
  return fmt::format("{}", fmt::join(words, " "));
}

Json alignment_json(const Alignment& alignment, PrintedAlignment printed) {
  Json json = Json::array();
  if (printed == PrintedAlignment::kHard) {
    for (const auto& [source, target] : hard_alignment(alignment)) json.push_back(Json::Array{source, target});
  } else {
    for (const std::vector<float>& row : alignment) json.push_back(Json::Array(row.begin(), row.end()));
  }
  return json;
}

std::string json_of(const Translation& output, std::int64_t id, const LineForm& form) {
  Json object = Json::object();
  if (form.n_best) object.set("id", id);
  object.set("text", output.text);
  if (form.n_best || form.scores != PrintedScores::kNone) object.set("score", output.score).set("log_prob", output.log_prob);
  if (form.scores == PrintedScores::kWord)
    object.set("word_scores", Json::Array(output.token_log_probs.begin(), output.token_log_probs.end()));
  if (form.alignment != PrintedAlignment::kNone) object.set("alignment", alignment_json(output.alignment, form.alignment));
  const bool counts_pieces = form.scores == PrintedScores::kWord || form.alignment != PrintedAlignment::kNone;
  if (counts_pieces || form.pieces) set_pieces(object, form.pieces_of(output));
  return object.dump();
}

std::string line_of(const Translation& output, std::int64_t id, const LineForm& form) {
  if (form.json) return json_of(output, id, form);
  std::string text = form.n_best ? fmt::format("{} ||| ", id) : "";
  text += output.text;
  if (form.n_best || form.scores != PrintedScores::kNone)
    text += fmt::format(" ||| {} ||| {:.6f}", features_of(output, form.scores), output.score);
  if (form.alignment != PrintedAlignment::kNone) text += " ||| " + alignment_of(output.alignment, form.alignment);
  if (form.pieces) text += text_of(form.pieces_of(output));
  return text;
}

/// What `weft translate` is asked.
struct TranslateOptions {
  ModelOptions model;
  bool pieces = false;
  int n_best = 0;  // 0: not given
};

const UsedKeys& used_keys() {
  static const UsedKeys used{"translate", {"decoding.*", "precision.*", "device", "seed"}, {}};
  return used;
}

int run_translate(Job& job, const TranslateOptions& asked) {
  std::vector<std::string> sets = asked.model.sets;
  if (asked.n_best > 0) sets.push_back(fmt::format("decoding.n_best={}", asked.n_best));
  std::optional<DecodingRun> run;
  together(job.control(), [&] { run.emplace(job, DecodingOptions{asked.model.model, {sets, used_keys()}, decoding_memory}); });
  const Config& config = run->config();
  const LineForm form{.n_best = config.decoding.n_best > 1 || asked.n_best > 0,
                      .scores = config.decoding.scores,
                      .alignment = config.decoding.alignment,
                      .json = asked.model.json,
                      .pieces = asked.pieces,
                      .source = run->loaded().source(),
                      .target = run->loaded().target()};
  const Translator translator(run->problem(), run->loaded().source(), run->loaded().target(), config.model.max_length);
  const auto warn = [&](const std::string& text) { run->warn(text); };
  const auto answer = [&](std::span<const std::string> lines, std::int64_t id) {
    Lines answers;
    for (const std::vector<Translation>& outputs : translator.translate(run->context(), lines, id + 1, warn)) {
      for (const Translation& output : outputs) answers.push_back(line_of(output, id, form));
      ++id;
    }
    return answers;
  };
  LineInput input(STDIN_FILENO);
  deal_stream(job.control(), {.read = [&](std::size_t most) { return input.take(most); }, .write = write_stdout}, {.answer = answer});
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

Action translate_verb(Options& options) {
  const auto asked = std::make_shared<TranslateOptions>();
  add_model_options(options, asked->model, used_keys());
  add_pieces_option(options, asked->pieces);
  options.whole("--n-best", asked->n_best, 1, 1024, "N", "the N best of every line, as `id ||| text ||| features ||| score`");
  return [asked] { return on_ranks([&](Job& job) { return run_translate(job, *asked); }); };
}

}  // namespace weft
