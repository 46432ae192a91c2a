#include "inference/translator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "data/text/utf8.h"
#include "inference/search/beam_search.h"
#include "inference/search/sampling.h"
#include "runtime/error.h"

namespace weft {
namespace {

Translation translation_of(Hypothesis hypothesis, const Vocabulary& target) {
  const std::span<const std::int32_t> tokens = hypothesis.tokens;
  std::string text = target.decode(tokens.first(tokens.size() - 1));
  return {.text = as_one_line(text),  // bytes that the model spelled out must not change the number of lines
          .tokens = std::move(hypothesis.tokens),
          .token_log_probs = std::move(hypothesis.token_log_probs),
          .log_prob = hypothesis.log_prob,
          .score = hypothesis.score};
}

/// Of all outputs, one after another.
std::vector<Alignment> align_all(Context& ctx, const SearchProblem& problem, TokenSequences sources,
                                 const std::vector<std::vector<Hypothesis>>& outputs) {
  std::vector<std::vector<std::int32_t>> source_of, targets;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (const Hypothesis& hypothesis : outputs[i]) {
      source_of.push_back(sources[i]);
      targets.push_back(hypothesis.tokens);
    }
  }
  return align(ctx, problem, source_of, targets);
}

}  // namespace

SearchProblem make_search_problem(Generator& generator, const DecodingConfig& config, const Vocabulary& source, const Vocabulary& target,
                                  std::int64_t model_max_length) {
  if (target.size() != generator.vocab_size()) {
    fail_input(fmt::format("the target vocabulary has {} entries, the model {}", target.size(), generator.vocab_size()));
  }
  return make_search_problem(generator, config, target.special(), source.size(), model_max_length);
}

SearchProblem make_search_problem(Generator& generator, const DecodingConfig& config, SpecialIds target, std::int64_t source_vocab_size,
                                  std::int64_t model_max_length) {
  if (!config.sample && config.n_best > config.beam_size) {
    fail_input(fmt::format("decoding.n_best: {} is more than decoding.beam_size, {}", config.n_best, config.beam_size));
  }
  std::optional<Sampling> sampling;
  if (config.sample) sampling = {.temperature = config.temperature, .top_k = config.top_k, .top_p = config.top_p};
  return {.generator = generator,
          .limits = SearchLimits::from(config, model_max_length),
          .target = target,
          .source_vocab_size = source_vocab_size,
          .beam_size = config.sample ? config.n_best : config.beam_size,
          .n_best = config.n_best,
          .length_penalty = config.length_penalty,
          .alpha = config.alpha,
          .batch_size = config.batch_size,
          .allow_unk = config.allow_unk,
          .align = config.alignment != PrintedAlignment::kNone,
          .repetition = {.ngram = config.no_repeat_ngram, .penalty = config.repetition_penalty},
          .sampling = sampling};
}

Translator::Translator(const SearchProblem& problem, const Vocabulary& source, const Vocabulary& target, std::int64_t max_source_length)
    : problem_(problem), source_(source), target_(target), max_source_length_(max_source_length) {}

std::vector<std::vector<Translation>> Translator::translate(Context& ctx, std::span<const std::string> lines, std::int64_t first_number,
                                                            const Warn& warn) const {
  std::vector<std::vector<std::int32_t>> sources;
  std::vector<std::size_t> line_of;
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::int64_t number = first_number + static_cast<std::int64_t>(i);
    std::vector<std::int32_t> ids = encode_line(source_, lines[i], max_source_length_, fmt::format("line {}", number), warn);
    if (ids.empty()) continue;
    ids.push_back(source_.special().eos);
    sources.push_back(std::move(ids));
    line_of.push_back(i);
    numbers.push_back(number);
  }
  std::vector<std::vector<Hypothesis>> outputs =
      problem_.sampling ? sample_outputs(ctx, problem_, sources, numbers) : beam_search(ctx, problem_, sources);
  std::vector<Alignment> alignments;
  if (problem_.align) alignments = align_all(ctx, problem_, sources, outputs);
  auto alignment = alignments.begin();
  std::vector<std::vector<Translation>> translations(lines.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (Hypothesis& hypothesis : outputs[i]) {
      Translation& translation = translations[line_of[i]].emplace_back(translation_of(std::move(hypothesis), target_));
      translation.source = sources[i];
      if (problem_.align) translation.alignment = std::move(*alignment++);
    }
  }
  for (std::vector<Translation>& of_line : translations) {
    if (of_line.empty()) of_line.resize(static_cast<std::size_t>(problem_.n_best));
  }
  return translations;
}

}  // namespace weft
