#include <fmt/format.h>

#include "launcher/config_tables.h"

namespace weft {
namespace {

Problem within(Problem problem, const YamlNode& node, std::string path) {
  problem.at = node.at;
  problem.path = std::move(path);
  return problem;
}

/// {src: FILE, tgt: FILE, weight: 1}, the only shape that is built.
ReadResult read_pair(const YamlNode& node, const std::string& path, ParallelText& pair) {
  const std::string expected = "{src: FILE, tgt: FILE}";
  if (node.kind != YamlNode::Kind::kMap) return within(not_a("not a pair of files", node, expected), node, path);
  ParallelText read;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const YamlNode &key = node.keys[i], &value = node.items[i];
    const std::string name = key.scalar, inner = path + "." + name;
    ReadResult problem;
    if (name == "src" || name == "tgt") {
      std::string& file = name == "src" ? read.src : read.tgt;
      problem = file.empty() ? read_text(value, file) : not_a("given twice", value, expected);
    } else if (name == "weight") {
      double weight = 1;
      problem = read_real(value, {.above = true}, weight);
      if (!problem && weight != 1) problem = not_supported_yet(value, "1");
    } else if (name == "file" || name == "columns" || name == "text" || name == "text_b") {
      problem = not_supported_yet(value, expected);
    } else {
      problem = not_a("unknown key", value, expected, nearest_name(name, {"src", "tgt", "weight"}).value_or(""));
    }
    if (!problem) continue;
    problem->found = name + ": " + problem->found;
    return within(*problem, key, inner);
  }
  if (read.src.empty() || read.tgt.empty()) return within(not_a("not a pair of files", node, expected), node, path);
  pair = read;
  return std::nullopt;
}

std::string pair_text(const ParallelText& pair) {
  return fmt::format("{{src: {}, tgt: {}}}", yaml_scalar(pair.src), yaml_scalar(pair.tgt));
}

ReadResult read_train(const YamlNode& node, std::vector<ParallelText>& train) {
  if (node.kind != YamlNode::Kind::kList || node.items.empty()) {
    return not_a("not a list of files", node, "[{src: FILE, tgt: FILE}, ...]");
  }
  std::vector<ParallelText> read(node.items.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (auto problem = read_pair(node.items[i], fmt::format("data.train[{}]", i), read[i])) return problem;
  }
  train = read;
  return std::nullopt;
}

std::string train_text(const std::vector<ParallelText>& train) {
  std::string text;
  for (const ParallelText& pair : train) text += (text.empty() ? "[" : ", ") + pair_text(pair);
  return text.empty() ? "null" : text + "]";
}

}  // namespace

Section data_section() {
  const auto of = [](auto member) {
    return [=](auto& config) -> auto& {
      return config.data.*member;
    };
  };
  return {
      .name = "data",
      .help = "What is read. Lines are dropped when data are prepared, and nowhere else.",
      .keys = {
          member_key("train", "[{src: FILE, tgt: FILE}, ...]", "parallel files, one sentence a line; several are read one after another",
                     of(&DataConfig::train), read_train, train_text),
          member_key(
              "valid", "{src: FILE, tgt: FILE}", "the files validation reads; null: no validation", of(&DataConfig::valid),
              [](const YamlNode& node, ParallelText& pair) { return read_pair(node, "data.valid", pair); },
              [](const ParallelText& pair) { return pair.src.empty() ? std::string("null") : pair_text(pair); }),
          text("prepared", of(&DataConfig::prepared), "a folder, or null", "written by weft prepare, instead of train and valid"),
          choice(
              "too_long", of(&DataConfig::too_long),
              std::vector<std::pair<std::string, TooLong>>{{"skip", TooLong::kSkip}, {"crop", TooLong::kCrop}, {"error", TooLong::kError}},
              {}, "what happens to a pair with a side over model.max_length"),
          choice("empty", of(&DataConfig::empty),
                 std::vector<std::pair<std::string, Empty>>{{"skip", Empty::kSkip}, {"error", Empty::kError}}, {},
                 "what happens to a pair with an empty side"),
          choice("invalid_utf8", of(&DataConfig::invalid_utf8),
                 std::vector<std::pair<std::string, InvalidUtf8>>{
                     {"error", InvalidUtf8::kError}, {"skip", InvalidUtf8::kSkip}, {"replace", InvalidUtf8::kReplace}},
                 {}, "what happens to a line that is not UTF-8"),
          real_or_null("length_ratio", of(&DataConfig::length_ratio), {.least = 1}, "drops pairs more unequal than this"),
          real("max_skipped", of(&DataConfig::max_skipped), {.least = 0, .most = 1}, "largest share of pairs that may be skipped"),
          boolean("shuffle", of(&DataConfig::shuffle), "a new order for every epoch"),
          whole("bucket_size", of(&DataConfig::bucket_size), {.least = 1}, "sequences sorted by length together before batches are cut"),
      }};
}

Section vocab_section() {
  const auto of = [](auto member) {
    return [=](auto& config) -> auto& {
      return config.vocab.*member;
    };
  };
  return {
      .name = "vocab",
      .help = "How text becomes tokens.",
      .keys = {
          fixed("type", "sentencepiece", {"word", "char", "byte"}, "what a token is"),
          choice("algorithm", of(&VocabConfig::algorithm),
                 std::vector<std::pair<std::string, VocabAlgorithm>>{{"bpe", VocabAlgorithm::kBpe}, {"unigram", VocabAlgorithm::kUnigram}},
                 {}, "how the pieces are learned"),
          text("src", of(&VocabConfig::src), "a file, or null",
               "existing vocabulary; null: learned from the training data, stored in run_dir"),
          text("tgt", of(&VocabConfig::tgt), "a file, or null", "as src, for the target side"),
          boolean("share_vocab", of(&VocabConfig::share_vocab), "one vocabulary for both sides"),
          whole("vocab_size", of(&VocabConfig::vocab_size), {.least = 8, .most = 10'000'000}, "pieces, the special ones included"),
          real("character_coverage", of(&VocabConfig::character_coverage), {.least = 0, .most = 1, .above = true},
               "share of the characters of the text that get pieces of their own"),
          boolean("byte_fallback", of(&VocabConfig::byte_fallback), "other characters become bytes instead of the unknown token"),
          fixed("word_vectors", "null", {}, "file of word vectors; type: word"),
          fixed("freeze_word_vectors", "false", {"true"}, "whether word vectors stay as they are"),
          fixed("labels", "null", {}, "file of labels, one a line; classification"),
      }};
}

}  // namespace weft
