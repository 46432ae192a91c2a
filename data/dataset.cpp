#include "data/dataset.h"

#include <cerrno>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "data/dataset_format.h"
#include "runtime/error.h"

namespace weft {

using dataset_format::Header;

std::uint64_t dataset_format::header_checksum(const Header& header) {
  return XXH3_64bits(&header, offsetof(Header, header_checksum));
}

std::string dataset_format::file_name(const std::string& folder, bool source) {
  return folder + (source ? "/source.bin" : "/target.bin");
}

VocabularyInfo info_of(const Vocabulary& vocabulary) {
  return {.fingerprint = vocabulary.fingerprint(), .size = vocabulary.size(), .special = vocabulary.special()};
}

/// One mapped file.
class Dataset::File {
 public:
  explicit File(const std::string& path) : path_(path) {
    map();
    read_header();
    check_offsets();
  }
  ~File() {
    if (data_ != nullptr) munmap(data_, bytes_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const Header& header() const { return header_; }
  const VocabularyInfo& vocabulary() const { return vocabulary_; }
  std::int64_t length(std::int64_t i) const { return offset(i + 1) - offset(i); }
  std::span<const std::int32_t> tokens(std::int64_t i) const {
    const auto* first = reinterpret_cast<const std::int32_t*>(bytes() + sizeof(Header));
    return {first + offset(i), static_cast<std::size_t>(length(i))};
  }
  void verify() const {
    const std::uint64_t found = XXH3_64bits(bytes() + sizeof(Header), bytes_ - sizeof(Header));
    if (found != header_.content_checksum) {
      fail_damaged(fmt::format("checksum {:016x}, expected {:016x}", found, header_.content_checksum));
    }
  }

 private:
  const std::byte* bytes() const { return static_cast<const std::byte*>(data_); }
  std::int64_t offset(std::int64_t i) const { return reinterpret_cast<const std::int64_t*>(bytes() + offsets_begin_)[i]; }

  void map() {
    const int file = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info {};
    if (file < 0 || fstat(file, &info) != 0) {
      const int reason = errno;
      if (file >= 0) close(file);
      fail_input(fmt::format("{}: prepared data cannot be read: {}", path_, std::strerror(reason)));
    }
    if (!S_ISREG(info.st_mode)) {
      close(file);
      fail_input(fmt::format("{}: expected a file", path_));
    }
    bytes_ = static_cast<std::size_t>(info.st_size);
    void* mapped = bytes_ >= sizeof(Header) ? mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
    close(file);
    if (bytes_ < sizeof(Header)) fail_damaged(fmt::format("{} bytes, less than a header", bytes_));
    if (mapped == MAP_FAILED) fail(fmt::format("{}: cannot be mapped: {}", path_, std::strerror(errno)));
    data_ = mapped;
  }

  void read_header() {
    std::memcpy(&header_, data_, sizeof(Header));
    if (header_.magic != dataset_format::kMagic) fail_damaged("not a data set of weft");
    if (header_.version != dataset_format::kVersion) {
      fail_input(
          fmt::format("{}: format version {}, expected {}: prepare the data again", path_, header_.version, dataset_format::kVersion));
    }
    if (header_.header_checksum != dataset_format::header_checksum(header_)) fail_damaged("the checksum of its header differs");
    const auto bytes = static_cast<std::int64_t>(bytes_);
    if (header_.sentences < 1 || header_.sentences > bytes / 8 || header_.tokens < 1 || header_.tokens > bytes / 4) {
      fail_damaged(fmt::format("{} sentences and {} tokens in {} bytes", header_.sentences, header_.tokens, bytes));
    }
    offsets_begin_ = dataset_format::offsets_begin(header_.tokens);
    const std::int64_t expected = offsets_begin_ + (header_.sentences + 1) * 8;
    if (bytes != expected) fail_damaged(fmt::format("{} bytes, expected {}", bytes, expected));
    vocabulary_ = {.fingerprint = header_.vocabulary_fingerprint,
                   .size = header_.vocabulary_size,
                   .special = {.unk = header_.unk, .bos = header_.bos, .eos = header_.eos}};
  }

  void check_offsets() const {
    if (offset(0) != 0 || offset(header_.sentences) != header_.tokens) fail_damaged("its offsets do not span its tokens");
    for (std::int64_t i = 0; i < header_.sentences; ++i) {
      const bool ordered = offset(i) >= 0 && offset(i) < offset(i + 1) && offset(i + 1) <= header_.tokens;
      if (!ordered || length(i) > header_.max_length) fail_damaged(fmt::format("the offsets of sentence {} are wrong", i));
    }
  }

  [[noreturn]] void fail_damaged(const std::string& what) const {
    fail_input(fmt::format("{}: damaged: {}; prepare the data again", path_, what));
  }

  std::string path_;
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
  Header header_;
  VocabularyInfo vocabulary_;
  std::int64_t offsets_begin_ = 0;
};

Dataset::Dataset(const std::string& folder)
    : folder_(folder),
      source_(std::make_unique<File>(dataset_format::file_name(folder, true))),
      target_(std::make_unique<File>(dataset_format::file_name(folder, false))) {
  if (source_->header().sentences != target_->header().sentences) {
    fail_input(fmt::format("{}: damaged: source.bin has {} sentences, target.bin {}; prepare the data again", folder,
                           source_->header().sentences, target_->header().sentences));
  }
}

Dataset::Dataset(Dataset&&) noexcept = default;
Dataset& Dataset::operator=(Dataset&&) noexcept = default;
Dataset::~Dataset() = default;

const Dataset::File& Dataset::side(Side side) const {
  return side == Side::kSource ? *source_ : *target_;
}

std::int64_t Dataset::size() const {
  return source_->header().sentences;
}

Lengths Dataset::lengths(std::int64_t i) const {
  if (i < 0 || i >= size()) fail(fmt::format("{}: sentence {} of {}", folder_, i, size()));
  return {static_cast<std::int32_t>(source_->length(i)), static_cast<std::int32_t>(target_->length(i))};
}

std::span<const std::int32_t> Dataset::tokens(std::int64_t i, Side which) const {
  if (i < 0 || i >= size()) fail(fmt::format("{}: sentence {} of {}", folder_, i, size()));
  return side(which).tokens(i);
}

std::int64_t Dataset::token_count(Side which) const {
  return side(which).header().tokens;
}

std::int64_t Dataset::max_length(Side which) const {
  return side(which).header().max_length;
}

const VocabularyInfo& Dataset::vocabulary(Side which) const {
  return side(which).vocabulary();
}

std::uint64_t Dataset::fingerprint() const {
  const std::uint64_t sides[] = {source_->header().content_checksum, target_->header().content_checksum};
  return XXH3_64bits(sides, sizeof sides);
}

void Dataset::verify() const {
  source_->verify();
  target_->verify();
}

}  // namespace weft
