#include "data/prepare/prepare_inputs.h"

#include <utility>

#include <fmt/format.h>

#include "data/vocabulary/train_vocabulary.h"

namespace weft {
namespace {

Json content_of(const TextColumn& text, FileContents& contents) {
  Json json = contents.of(text.file);
  if (text.column > 0) json.set("column", text.column);
  return json;
}

/// As made_from has it.
const char* name_of(VocabType type) {
  return type == VocabType::kWord ? "word" : type == VocabType::kChar ? "char" : "byte";
}

}  // namespace

Json made_from(const PrepareConfig& config, FileContents& contents) {
  const DataConfig& data = config.data;
  const VocabConfig& vocab = config.vocab;
  Json json = Json::object();
  json.set("too_long", static_cast<int>(data.too_long)).set("empty", static_cast<int>(data.empty));
  json.set("invalid_utf8", static_cast<int>(data.invalid_utf8)).set("length_ratio", data.length_ratio);
  json.set("max_source_length", config.limits.source).set("max_target_length", config.limits.target);
  Json train = Json::array();
  for (const ParallelText& text : data.train) {
    train.push_back(content_of(column_of(text, Side::kSource), contents));
    train.push_back(content_of(column_of(text, Side::kTarget), contents));
  }
  json.set("train", std::move(train));
  if (data.valid.given()) {
    json.set("valid_src", content_of(column_of(data.valid, Side::kSource), contents));
    json.set("valid_tgt", content_of(column_of(data.valid, Side::kTarget), contents));
  }
  json.set("share_vocab", vocab.share_vocab);
  if (!vocab.src.empty()) json.set("vocab_src", contents.of(vocab.src));
  if (!vocab.tgt.empty()) json.set("vocab_tgt", contents.of(vocab.tgt));
  if (vocab.type != VocabType::kSentencePiece) {
    json.set("vocab_type", name_of(vocab.type)).set("vocab_size", vocab.vocab_size);
    return json;
  }
  json.set("algorithm", vocab.algorithm == VocabAlgorithm::kBpe ? "bpe" : "unigram").set("vocab_size", vocab.vocab_size);
  json.set("character_coverage", vocab.character_coverage).set("byte_fallback", vocab.byte_fallback);
  // Not there: nmt_nfkc, as it was before there was a choice.
  if (learns_vocabulary(vocab) && vocab.normalization != TextNormalization::kNmtNfkc)
    json.set("normalization", name_of(vocab.normalization));
  return json;
}

std::vector<std::string> repeated_texts(const PrepareConfig& config, FileContents& contents) {
  struct Text {
    std::string key, names;
    Json source, target;
  };
  std::vector<Text> texts;
  const auto add = [&](std::string key, const ParallelText& text) {
    texts.push_back({std::move(key), names_of(text), content_of(column_of(text, Side::kSource), contents),
                     content_of(column_of(text, Side::kTarget), contents)});
  };
  for (std::size_t i = 0; i < config.data.train.size(); ++i) add(fmt::format("data.train[{}]", i), config.data.train[i]);
  if (config.data.valid.given()) add("data.valid", config.data.valid);
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Text& text = texts[i];
    if (text.source == text.target) warnings.push_back(fmt::format("{}: {}: source and target are the same text", text.key, text.names));
    for (std::size_t j = 0; j < i; ++j) {
      if (text.source != texts[j].source || text.target != texts[j].target) continue;
      const char* meaning = text.key == "data.valid" ? "validation says nothing about new text" : "it counts twice";
      warnings.push_back(fmt::format("{}: {}: the same text as {}: {}", text.key, text.names, texts[j].key, meaning));
    }
  }
  return warnings;
}

}  // namespace weft
