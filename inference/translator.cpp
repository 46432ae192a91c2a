#include "inference/translator.h"

#include <algorithm>

#include <fmt/format.h>

#include "data/utf8.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// Bytes worth encoding of an endless line, for each token that is kept.
constexpr std::int64_t kBytesPerToken = 256;

}  // namespace

void require_supported(const DecodingConfig& config) {
  if (config.beam_size != 1) fail_input(fmt::format("decoding.beam_size: {} is not supported yet; use 1", config.beam_size));
}

SearchProblem make_search_problem(Generator& generator, const DecodingConfig& config, const Vocabulary& source, const Vocabulary& target,
                                  std::int64_t model_max_length) {
  require_supported(config);
  if (target.size() != generator.vocab_size()) {
    fail_input(fmt::format("the target vocabulary has {} entries, the model {}", target.size(), generator.vocab_size()));
  }
  return {.generator = generator,
          .limits = SearchLimits::from(config, model_max_length),
          .target = target.special(),
          .source_vocab_size = source.size(),
          .batch_size = config.batch_size,
          .allow_unk = config.allow_unk};
}

Translator::Translator(const SearchProblem& problem, const Vocabulary& source, const Vocabulary& target, std::int64_t max_source_length)
    : problem_(problem), source_(source), target_(target), max_source_length_(max_source_length) {}

std::vector<std::int32_t> Translator::encode(const std::string& line, std::int64_t number, const Warn& warn) const {
  std::string repaired;
  std::string_view text = line;
  if (find_invalid_utf8(line) != std::string::npos) {
    warn(fmt::format("line {}: broken UTF-8 or NUL, repaired", number));
    repaired = repair_utf8(line);
    text = repaired;
  }
  const std::string_view bounded = utf8_prefix(text, static_cast<std::size_t>(max_source_length_ * kBytesPerToken));
  std::vector<std::int32_t> ids = source_.encode(bounded);
  const auto limit = static_cast<std::size_t>(max_source_length_ - 1);
  if (ids.size() > limit || bounded.size() < text.size()) {
    warn(fmt::format("line {}: longer than {} tokens, cropped", number, limit));
    ids.resize(std::min(ids.size(), limit));
  }
  return ids;
}

std::vector<std::string> Translator::translate(Context& ctx, std::span<const std::string> lines, std::int64_t first_number,
                                               const Warn& warn) const {
  std::vector<std::vector<std::int32_t>> sources;
  std::vector<std::size_t> line_of;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::vector<std::int32_t> ids = encode(lines[i], first_number + static_cast<std::int64_t>(i), warn);
    if (ids.empty()) continue;
    ids.push_back(source_.special().eos);
    sources.push_back(std::move(ids));
    line_of.push_back(i);
  }
  const std::vector<std::vector<std::int32_t>> outputs = greedy_search(ctx, problem_, sources);
  std::vector<std::string> translations(lines.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::string& text = translations[line_of[i]];
    text = target_.decode(std::span(outputs[i]).first(outputs[i].size() - 1));
    std::ranges::replace(text, '\n', ' ');  // bytes that the model spelled out must not change the number of lines
  }
  return translations;
}

}  // namespace weft
