#include "data/prepare/dataset_writer.h"

#include <algorithm>
#include <vector>

#include <xxhash.h>

#include "data/dataset_format.h"
#include "data/text/output_file.h"

namespace weft {

class DatasetWriter::File {
 public:
  File(const std::string& path, const VocabularyInfo& vocabulary) : file_(path), checksum_(XXH3_createState()) {
    header_.vocabulary_fingerprint = vocabulary.fingerprint;
    header_.vocabulary_size = vocabulary.size;
    header_.unk = vocabulary.special.unk;
    header_.bos = vocabulary.special.bos;
    header_.eos = vocabulary.special.eos;
    XXH3_64bits_reset(checksum_);
    file_.append(&header_, sizeof header_);  // replaced in commit
  }
  ~File() { XXH3_freeState(checksum_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void add(std::span<const std::int32_t> ids) {
    buffer_.insert(buffer_.end(), ids.begin(), ids.end());
    buffer_.push_back(header_.eos);
    lengths_.push_back(static_cast<std::int32_t>(ids.size()) + 1);
    header_.tokens += lengths_.back();
    header_.max_length = std::max(header_.max_length, lengths_.back());
    if (buffer_.size() >= kBufferedTokens) flush();
  }

  std::int64_t sentences() const { return static_cast<std::int64_t>(lengths_.size()); }

  void commit() {
    if (header_.tokens % 2 != 0) buffer_.push_back(0);  // offsets begin at a multiple of 8
    flush();
    write_offsets();
    header_.sentences = sentences();
    header_.content_checksum = XXH3_64bits_digest(checksum_);
    header_.header_checksum = dataset_format::header_checksum(header_);
    file_.overwrite(0, &header_, sizeof header_);
    file_.commit();
  }

 private:
  static constexpr std::size_t kBufferedTokens = std::size_t{1} << 18;

  void append(const void* data, std::size_t bytes) {
    XXH3_64bits_update(checksum_, data, bytes);
    file_.append(data, static_cast<std::int64_t>(bytes));
  }

  void flush() {
    append(buffer_.data(), buffer_.size() * sizeof(std::int32_t));
    buffer_.clear();
  }

  void write_offsets() {
    std::vector<std::int64_t> offsets{0};
    std::int64_t last = 0;
    for (const std::int32_t length : lengths_) {
      offsets.push_back(last += length);
      if (offsets.size() < kBufferedTokens) continue;
      append(offsets.data(), offsets.size() * sizeof(std::int64_t));
      offsets.clear();
    }
    append(offsets.data(), offsets.size() * sizeof(std::int64_t));
  }

  OutputFile file_;
  XXH3_state_t* checksum_;
  dataset_format::Header header_;
  std::vector<std::int32_t> buffer_, lengths_;
};

DatasetWriter::DatasetWriter(const std::string& folder, const VocabularyInfo& source, const VocabularyInfo& target)
    : source_(std::make_unique<File>(dataset_format::file_name(folder, true), source)),
      target_(std::make_unique<File>(dataset_format::file_name(folder, false), target)) {}

DatasetWriter::~DatasetWriter() = default;

void DatasetWriter::add(std::span<const std::int32_t> source, std::span<const std::int32_t> target) {
  source_->add(source);
  target_->add(target);
}

std::int64_t DatasetWriter::size() const {
  return source_->sentences();
}

void DatasetWriter::commit() {
  source_->commit();
  target_->commit();
}

}  // namespace weft
