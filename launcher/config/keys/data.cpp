#include <algorithm>

#include <fmt/format.h>

#include "launcher/config/keys/tables.h"

namespace weft {
namespace {

Problem within(Problem problem, const YamlNode& node, std::string path) {
  problem.at = node.at;
  problem.path = std::move(path);
  return problem;
}

constexpr const char* kShapes = "{src: FILE, tgt: FILE} or {file: FILE, columns: [src, tgt]}";

/// The sides in the order of their columns.
ReadResult read_columns(const YamlNode& node, bool& target_first) {
  std::string order;
  for (const YamlNode& item : node.items) order += item.scalar + " ";
  target_first = order == "tgt src ";
  if (node.kind == YamlNode::Kind::kList && (target_first || order == "src tgt ")) return std::nullopt;
  return not_a("not the two columns", node, "[src, tgt] or [tgt, src]");
}

/// One key of a text; `keys` collects the names that were given.
ReadResult read_text_key(const YamlNode& key, const YamlNode& value, std::vector<std::string>& keys, ParallelText& read) {
  const std::string& name = key.scalar;
  if (std::find(keys.begin(), keys.end(), name) != keys.end()) return not_a("given twice", value, kShapes);
  keys.push_back(name);
  if (name == "src") return read_path(value, read.src);
  if (name == "tgt") return read_path(value, read.tgt);
  if (name == "file") return read_path(value, read.file);
  if (name == "columns") return read_columns(value, read.target_first);
  if (name == "text" || name == "text_b") return not_supported_yet(value, kShapes);
  if (name != "weight") {
    return not_a("unknown key", value, kShapes, nearest_name(name, {"src", "tgt", "weight", "file", "columns"}).value_or(""));
  }
  double weight = 1;
  const ReadResult problem = read_real(value, {.above = true}, weight);
  return problem || weight == 1 ? problem : not_supported_yet(value, "1");
}

/// {src: FILE, tgt: FILE, weight: 1} or {file: FILE, columns: [src, tgt], weight: 1}.
ReadResult read_pair(const YamlNode& node, const std::string& path, ParallelText& pair) {
  const auto not_a_text = [&] { return within(not_a("not a parallel text", node, kShapes), node, path); };
  if (node.kind != YamlNode::Kind::kMap) return not_a_text();
  ParallelText read;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const std::string& name = node.keys[i].scalar;
    ReadResult problem = read_text_key(node.keys[i], node.items[i], keys, read);
    if (!problem) continue;
    problem->found = name + ": " + problem->found;
    return within(*problem, node.keys[i], path + "." + name);
  }
  const bool two = !read.src.empty() && !read.tgt.empty(), neither = read.src.empty() && read.tgt.empty();
  const bool columns = std::find(keys.begin(), keys.end(), "columns") != keys.end();
  const bool one = !read.file.empty() && columns && neither;
  if (!one && (!two || columns || !read.file.empty())) return not_a_text();
  pair = read;
  return std::nullopt;
}

std::string pair_text(const ParallelText& pair) {
  if (!pair.file.empty()) {
    return fmt::format("{{file: {}, columns: [{}]}}", yaml_scalar(pair.file), pair.target_first ? "tgt, src" : "src, tgt");
  }
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
  const auto of = in(&Config::data);
  return {
      .name = "data",
      .help = "What is read. Lines are dropped when data are prepared, and nowhere else.",
      .keys = {
          member_key("train", "[{src: FILE, tgt: FILE}, {file: FILE, columns: [src, tgt]}, ...]",
                     "parallel text, one sentence pair a line, in two files or in two tab-separated columns of one; plain or gzip; several "
                     "are read one after another",
                     of(&DataConfig::train), read_train, train_text),
          member_key(
              "valid", "{src: FILE, tgt: FILE} or {file: FILE, columns: [src, tgt]}", "the files validation reads; null: no validation",
              of(&DataConfig::valid), [](const YamlNode& node, ParallelText& pair) { return read_pair(node, "data.valid", pair); },
              [](const ParallelText& pair) { return pair.given() ? pair_text(pair) : std::string("null"); }),
          path("prepared", of(&DataConfig::prepared), "a folder, or null", "written by weft prepare, instead of train and valid"),
          choice("too_long", of(&DataConfig::too_long), {{"skip", TooLong::kSkip}, {"crop", TooLong::kCrop}, {"error", TooLong::kError}},
                 {}, "what happens to a pair with a side over model.max_length"),
          choice("empty", of(&DataConfig::empty), {{"skip", Empty::kSkip}, {"error", Empty::kError}}, {},
                 "what happens to a pair with an empty side"),
          choice("invalid_utf8", of(&DataConfig::invalid_utf8),
                 {{"error", InvalidUtf8::kError}, {"skip", InvalidUtf8::kSkip}, {"replace", InvalidUtf8::kReplace}}, {},
                 "what happens to a line that is not UTF-8"),
          real_or_null("length_ratio", of(&DataConfig::length_ratio), {.least = 1}, "drops pairs more unequal than this"),
          real("max_skipped", of(&DataConfig::max_skipped), {.least = 0, .most = 1}, "largest share of pairs that may be skipped"),
          on_change(Change::kNumbers, boolean("shuffle", of(&DataConfig::shuffle), "a new order for every epoch")),
          on_change(Change::kNumbers, whole("bucket_size", of(&DataConfig::bucket_size), {.least = 1, .suffix = true},
                                            "sequences sorted by length together before batches are cut")),
      }};
}

Section vocab_section() {
  const auto of = in(&Config::vocab);
  return {
      .name = "vocab",
      .help = "How text becomes tokens.",
      .keys = {
          choice("type", of(&VocabConfig::type),
                 {{"sentencepiece", VocabType::kSentencePiece},
                  {"word", VocabType::kWord},
                  {"char", VocabType::kChar},
                  {"byte", VocabType::kByte}},
                 {}, "what a token is: a piece of a word, a word between blanks, a character, a byte"),
          choice("algorithm", of(&VocabConfig::algorithm), {{"bpe", VocabAlgorithm::kBpe}, {"unigram", VocabAlgorithm::kUnigram}}, {},
                 "sentencepiece: how the pieces are learned"),
          path("src", of(&VocabConfig::src), "a file, or null",
               "existing vocabulary; null: learned from the training data, stored in run_dir"),
          path("tgt", of(&VocabConfig::tgt), "a file, or null", "as src, for the target side"),
          boolean("share_vocab", of(&VocabConfig::share_vocab), "one vocabulary for both sides"),
          whole("vocab_size", of(&VocabConfig::vocab_size), {.least = 8, .most = 10'000'000, .suffix = true},
                "entries, the special ones included; of bytes always 259"),
          real("character_coverage", of(&VocabConfig::character_coverage), {.least = 0.98, .most = 1},
               "sentencepiece: share of the characters of the text that get pieces of their own"),
          boolean("byte_fallback", of(&VocabConfig::byte_fallback),
                  "sentencepiece: other characters become bytes instead of the unknown token"),
          choice(
              "normalization", of(&VocabConfig::normalization), {kTextNormalizations.begin(), kTextNormalizations.end()}, {},
              "sentencepiece, learned: what is done to text before it is cut, on both sides; a target character that it changes can never "
              "be written. Blanks are squeezed in each"),
          fixed("word_vectors", "null", {}, "file of word vectors; type: word"),
          fixed("freeze_word_vectors", "false", {"true"}, "whether word vectors stay as they are"),
          fixed("labels", "null", {}, "file of labels, one a line; classification"),
      }};
}

}  // namespace weft
