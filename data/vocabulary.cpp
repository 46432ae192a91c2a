#include "data/vocabulary.h"

#include <filesystem>

#include <fmt/format.h>
#include <sentencepiece_processor.h>
#include <xxhash.h>

#include "data/text_file.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 28;

std::string read_model(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) fail_input(fmt::format("{}: vocabulary cannot be read: {}", path, error.message()));
  if (bytes == 0 || bytes > kMaxFileBytes) fail_input(fmt::format("{}: {} bytes, which is no vocabulary", path, bytes));
  return read_whole_file(path);
}

std::int32_t required_id(const std::string& path, std::string_view which, int id, std::int64_t size) {
  if (id < 0 || id >= size) fail_input(fmt::format("{}: the vocabulary has no {} symbol; train it with one", path, which));
  return static_cast<std::int32_t>(id);
}

}  // namespace

Vocabulary::Vocabulary() : processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {}
Vocabulary::Vocabulary(Vocabulary&&) noexcept = default;
Vocabulary& Vocabulary::operator=(Vocabulary&&) noexcept = default;
Vocabulary::~Vocabulary() = default;

Vocabulary Vocabulary::load(const std::string& path) {
  const std::string content = read_model(path);
  Vocabulary vocabulary;
  sentencepiece::SentencePieceProcessor& processor = *vocabulary.processor_;
  const auto status = processor.LoadFromSerializedProto(content);
  if (!status.ok()) fail_input(fmt::format("{}: no SentencePiece model, or a damaged one: {}", path, status.ToString()));
  vocabulary.size_ = processor.GetPieceSize();
  vocabulary.special_ = {.unk = required_id(path, "unk", processor.unk_id(), vocabulary.size_),
                         .bos = required_id(path, "bos", processor.bos_id(), vocabulary.size_),
                         .eos = required_id(path, "eos", processor.eos_id(), vocabulary.size_)};
  vocabulary.fingerprint_ = XXH3_64bits(content.data(), content.size());
  return vocabulary;
}

std::vector<std::int32_t> Vocabulary::encode(std::string_view text) const {
  std::vector<int> ids;
  const auto status = processor_->Encode(text, &ids);
  if (!status.ok()) fail(fmt::format("SentencePiece cannot encode: {}", status.ToString()));
  return ids;
}

std::string Vocabulary::decode(std::span<const std::int32_t> ids) const {
  for (const std::int32_t id : ids) {
    if (id < 0 || id >= size_) fail(fmt::format("id {} is outside the vocabulary of {}", id, size_));
  }
  std::string text;
  const auto status = processor_->Decode(std::vector<int>(ids.begin(), ids.end()), &text);
  if (!status.ok()) fail(fmt::format("SentencePiece cannot decode: {}", status.ToString()));
  return text;
}

}  // namespace weft
