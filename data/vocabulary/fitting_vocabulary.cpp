#include "data/vocabulary/fitting_vocabulary.h"

#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "data/vocabulary/train_vocabulary.h"
#include "data/vocabulary/vocabulary.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// A message of protocol buffers, read field by field: its number, then a varint, 4 or 8 bytes, or bytes with their length. The library's
/// generated classes are not installed with it.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  struct Field {
    std::uint64_t number = 0, value = 0;  // value: of a varint
    std::string_view bytes;               // of the others
  };
  std::optional<Field> next() {
    if (rest_.empty()) return std::nullopt;
    const std::uint64_t tag = varint();
    Field field{.number = tag >> 3, .value = 0, .bytes = {}};
    if ((tag & 7) == 0) field.value = varint();
    if ((tag & 7) == 1) field.bytes = take(8);
    if ((tag & 7) == 2) field.bytes = take(varint());
    if ((tag & 7) == 5) field.bytes = take(4);
    return field;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value;
  }
  std::string_view take(std::uint64_t count) {
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest_;
};

/// How a SentencePiece model was learned.
struct Learned {
  std::string algorithm = "unigram", normalization = "nmt_nfkc";  // the defaults of the library, which are not written
  float character_coverage = 0.9995F;
  bool byte_fallback = false;
};

Learned learned_of(const std::string& model) {
  constexpr std::uint64_t kTrainerSpec = 2, kNormalizerSpec = 3;                              // of the model
  constexpr std::uint64_t kModelType = 3, kCoverage = 10, kByteFallback = 35, kRuleName = 1;  // of the two
  Learned learned;
  Message whole(model);
  while (const auto part = whole.next()) {
    Message message(part->bytes);
    if (part->number == kTrainerSpec) {
      while (const auto field = message.next()) {
        if (field->number == kModelType) learned.algorithm = field->value == 1 ? "unigram" : field->value == 2 ? "bpe" : "another";
        if (field->number == kCoverage && field->bytes.size() == sizeof(float))
          std::memcpy(&learned.character_coverage, field->bytes.data(), sizeof(float));
        if (field->number == kByteFallback) learned.byte_fallback = field->value != 0;
      }
    } else if (part->number == kNormalizerSpec) {
      while (const auto field = message.next()) {
        if (field->number == kRuleName) learned.normalization = field->bytes;
      }
    }
  }
  return learned;
}

}  // namespace

void require_fitting_vocabulary(const std::string& path, const VocabConfig& config) {
  const Vocabulary vocabulary = Vocabulary::load(path);
  std::string found, expected;
  const auto compare = [&](const std::string& key, const std::string& is, const std::string& wanted) {
    if (is == wanted) return;
    found += fmt::format("{}{}: {}", found.empty() ? "" : ", ", key, is);
    expected += fmt::format("{}{}: {}", expected.empty() ? "" : ", ", key, wanted);
  };
  compare("vocab.type", kind_of(vocabulary.type()), kind_of(config.type));
  if (config.type != VocabType::kByte) compare("vocab.vocab_size", std::to_string(vocabulary.size()), std::to_string(config.vocab_size));
  if (vocabulary.type() == VocabType::kSentencePiece && config.type == VocabType::kSentencePiece) {
    const Learned learned = learned_of(read_whole_file(path));
    compare("vocab.algorithm", learned.algorithm, config.algorithm == VocabAlgorithm::kBpe ? "bpe" : "unigram");
    compare("vocab.character_coverage", fmt::format("{}", learned.character_coverage),
            fmt::format("{}", static_cast<float>(config.character_coverage)));
    compare("vocab.byte_fallback", learned.byte_fallback ? "true" : "false", config.byte_fallback ? "true" : "false");
    compare("vocab.normalization", learned.normalization, name_of(config.normalization));
  }
  if (found.empty()) return;
  fail_input(
      fmt::format("{}: exists already and is not the vocabulary that the settings give\n  found     {}\n  expected  {}; or no such "
                  "file; or vocab.src and vocab.tgt, which take any vocabulary",
                  path, found, expected));
}

}  // namespace weft
