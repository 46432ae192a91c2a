#include <fmt/format.h>
#include <sentencepiece_processor.h>

#include "data/vocabulary/tokenizer.h"
#include "runtime/error.h"

namespace weft {
namespace {

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(const std::string& content, const std::string& path) {
    const auto status = processor_.LoadFromSerializedProto(content);
    if (!status.ok()) fail_input(fmt::format("{}: no SentencePiece model, or a damaged one: {}", path, status.ToString()));
    size = processor_.GetPieceSize();
    special = {.unk = required_id(path, "unk", processor_.unk_id()),
               .bos = required_id(path, "bos", processor_.bos_id()),
               .eos = required_id(path, "eos", processor_.eos_id())};
  }

  std::vector<std::int32_t> encode(std::string_view text) const override {
    std::vector<int> ids;
    const auto status = processor_.Encode(text, &ids);
    if (!status.ok()) fail(fmt::format("SentencePiece cannot encode: {}", status.ToString()));
    return ids;
  }

  std::string decode(std::span<const std::int32_t> ids) const override {
    std::string text;
    const auto status = processor_.Decode(std::vector<int>(ids.begin(), ids.end()), &text);
    if (!status.ok()) fail(fmt::format("SentencePiece cannot decode: {}", status.ToString()));
    return text;
  }

  std::string piece(std::int32_t id) const override { return processor_.IdToPiece(id); }

  bool is_unknown(std::int32_t id) const override { return processor_.IsUnknown(id) || processor_.IsByte(id); }

 private:
  std::int32_t required_id(const std::string& path, std::string_view which, int id) const {
    if (id < 0 || id >= size) fail_input(fmt::format("{}: the vocabulary has no {} symbol; train it with one", path, which));
    return static_cast<std::int32_t>(id);
  }

  sentencepiece::SentencePieceProcessor processor_;
};

}  // namespace

std::unique_ptr<Tokenizer> read_sentencepiece(const std::string& content, const std::string& path) {
  return std::make_unique<SentencePieceTokenizer>(content, path);
}

}  // namespace weft
