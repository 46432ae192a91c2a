#include "runtime/files/safetensors.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft {
namespace {

constexpr std::int64_t kLengthBytes = 8;
constexpr std::int64_t kMaxHeaderBytes = 100'000'000;
constexpr Json::Limits kHeaderLimits{.bytes = kMaxHeaderBytes, .depth = 4, .values = 4'000'000};
constexpr std::int64_t kDataAlignment = 8;

struct NamedDType {
  std::string_view name;
  DType dtype;
};
constexpr std::array kDTypes{NamedDType{"F32", DType::kFloat32}, NamedDType{"BF16", DType::kBFloat16}, NamedDType{"F64", DType::kFloat64},
                             NamedDType{"I32", DType::kInt32},   NamedDType{"I64", DType::kInt64},     NamedDType{"U8", DType::kUInt8}};

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

[[noreturn]] void fail_tensor(const std::string& path, std::string_view name, const std::string& what) {
  fail_input(fmt::format("{}: tensor {}: {}", path, name, what));
}

/// The fields of one entry, kinds checked and nothing else.
struct RawEntry {
  std::string dtype;
  std::vector<std::int64_t> shape, data_offsets;
};

RawEntry read_fields(const std::string& path, const Json::Member& member) {
  RawEntry raw;
  try {
    for (const Json::Member& field : member.value.as_object()) {
      if (field.key == "dtype") {
        raw.dtype = field.value.as_string();
      } else if (field.key == "shape") {
        for (const Json& size : field.value.as_array()) raw.shape.push_back(size.as_int());
      } else if (field.key == "data_offsets") {
        for (const Json& offset : field.value.as_array()) raw.data_offsets.push_back(offset.as_int());
      } else {
        fail_input(fmt::format("unknown field \"{}\"", field.key.substr(0, 40)));
      }
    }
    member.value.at("shape");  // an absent shape is not the empty one
  } catch (const Error& error) {
    fail_tensor(path, member.key, error.what());
  }
  return raw;
}

DType parse_dtype(const std::string& path, std::string_view tensor, const std::string& text) {
  for (const NamedDType& known : kDTypes) {
    if (known.name == text) return known.dtype;
  }
  fail_tensor(path, tensor, fmt::format("dtype \"{}\", expected one of F32 BF16 F64 I32 I64 U8", text.substr(0, 40)));
}

/// A shape whose product and bytes fit into 64 bits; Shape itself would report a broken contract, not bad input.
Shape parse_shape(const std::string& path, std::string_view tensor, const std::vector<std::int64_t>& sizes, DType dtype) {
  if (sizes.size() > kMaxDims) fail_tensor(path, tensor, fmt::format("{} dims, expected at most {}", sizes.size(), kMaxDims));
  std::int64_t bytes = size_of(dtype);
  for (const std::int64_t size : sizes) {
    if (size < 0) fail_tensor(path, tensor, fmt::format("negative size {}", size));
    if (__builtin_mul_overflow(bytes, size, &bytes)) fail_tensor(path, tensor, "the product of its sizes does not fit into 64 bits");
  }
  return Shape(sizes);
}

SafetensorsEntry parse_entry(const std::string& path, const Json::Member& member, std::int64_t data_begin, std::int64_t data_bytes) {
  SafetensorsEntry entry{.name = member.key};
  if (!is_tensor_name(entry.name)) {
    fail_input(fmt::format("{}: a tensor name of {} bytes, expected 1 to 255 of [A-Za-z0-9._/-]", path, entry.name.size()));
  }
  const RawEntry raw = read_fields(path, member);
  entry.dtype = parse_dtype(path, entry.name, raw.dtype);
  entry.shape = parse_shape(path, entry.name, raw.shape, entry.dtype);
  if (raw.data_offsets.size() != 2) fail_tensor(path, entry.name, fmt::format("{} data_offsets, expected 2", raw.data_offsets.size()));
  const std::int64_t begin = raw.data_offsets[0], end = raw.data_offsets[1];
  if (begin < 0 || end < begin || end > data_bytes) {
    fail_tensor(path, entry.name, fmt::format("data_offsets [{}, {}] are outside 0 .. {}", begin, end, data_bytes));
  }
  if (end - begin != entry.bytes()) {
    fail_tensor(path, entry.name,
                fmt::format("{} bytes, expected {} for {} {}", end - begin, entry.bytes(), name(entry.dtype), to_string(entry.shape)));
  }
  entry.offset = data_begin + begin;
  return entry;
}

SafetensorsMetadata parse_metadata(const std::string& path, const Json& json) {
  SafetensorsMetadata metadata;
  try {
    for (const Json::Member& value : json.as_object()) metadata.emplace_back(value.key, value.value.as_string());
  } catch (const Error& error) {
    fail_input(fmt::format("{}: __metadata__: {}", path, error.what()));
  }
  return metadata;
}

std::string make_header(std::vector<SafetensorsEntry>& tensors, const SafetensorsMetadata& metadata, std::int64_t& data_bytes) {
  Json header = Json::object();
  if (!metadata.empty()) {
    Json values = Json::object();
    for (const auto& [key, value] : metadata) values.set(key, value);
    header.set("__metadata__", std::move(values));
  }
  std::string text = header.dump();
  text.pop_back();
  data_bytes = 0;
  for (SafetensorsEntry& tensor : tensors) {
    if (!is_tensor_name(tensor.name)) fail(fmt::format("safetensors: \"{}\" is not a tensor name", tensor.name));
    Json shape = Json::array();
    for (int d = 0; d < tensor.shape.dims(); ++d) shape.push_back(tensor.shape[d]);
    Json entry;
    entry.set("dtype", safetensors_name(tensor.dtype));
    entry.set("shape", std::move(shape));
    entry.set("data_offsets", Json::Array{data_bytes, data_bytes + tensor.bytes()});
    if (text.size() > 1) text += ", ";
    text += '"' + tensor.name + "\": " + entry.dump();
    tensor.offset = data_bytes;
    data_bytes += tensor.bytes();
  }
  text += '}';
  const auto padding = static_cast<std::size_t>(kDataAlignment) - text.size() % static_cast<std::size_t>(kDataAlignment);
  text.append(padding % static_cast<std::size_t>(kDataAlignment), ' ');  // aligned data, as the format asks
  std::string length(static_cast<std::size_t>(kLengthBytes), '\0');
  for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  for (SafetensorsEntry& tensor : tensors) tensor.offset += kLengthBytes + static_cast<std::int64_t>(text.size());
  return length + text;
}

}  // namespace

bool is_tensor_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '/' || c == '-';
  };
  return !name.empty() && name.size() <= 255 && name != "__metadata__" && std::all_of(name.begin(), name.end(), allowed);
}

std::string_view safetensors_name(DType dtype) {
  for (const NamedDType& known : kDTypes) {
    if (known.dtype == dtype) return known.name;
  }
  fail("safetensors_name: unknown dtype");
}

SafetensorsFile::SafetensorsFile(Storage& storage, const std::string& path) : path_(path), file_(storage.open(path)) {
  const std::int64_t size = file_->size();
  if (size < kLengthBytes) fail_input(fmt::format("{}: {} bytes, too short for a safetensors file", path_, size));
  std::array<std::byte, kLengthBytes> length_bytes;
  file_->read(0, length_bytes);
  const std::uint64_t length = little_endian(length_bytes);
  if (length > static_cast<std::uint64_t>(std::min(kMaxHeaderBytes, size - kLengthBytes))) {
    fail_input(
        fmt::format("{}: a header of {} bytes, expected at most {} (and no more than the file has)", path_, length, kMaxHeaderBytes));
  }
  std::string header(static_cast<std::size_t>(length), '\0');
  file_->read(kLengthBytes, std::as_writable_bytes(std::span(header)));
  header_bytes_ = kLengthBytes + static_cast<std::int64_t>(length);
  parse(header);
}

void SafetensorsFile::parse(std::string_view header) {
  if (header.empty() || header.front() != '{') fail_input(fmt::format("{}: the header does not begin with {{", path_));
  const Json json = Json::parse(header, kHeaderLimits, path_);
  const std::int64_t data_bytes = file_->size() - header_bytes_;
  for (const Json::Member& member : json.as_object()) {
    if (member.key == "__metadata__") {
      metadata_ = parse_metadata(path_, member.value);
    } else {
      tensors_.push_back(parse_entry(path_, member, header_bytes_, data_bytes));
    }
  }
  // Of tensors at the same place all but one are empty: these come first, then every offset must be where the one before ends.
  std::stable_sort(tensors_.begin(), tensors_.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.bytes() < b.bytes();
  });
  std::int64_t end = header_bytes_;
  for (const SafetensorsEntry& tensor : tensors_) {
    if (tensor.offset != end) {
      fail_tensor(path_, tensor.name,
                  fmt::format("begins at byte {}, expected {}: tensors have no holes and do not overlap", tensor.offset, end));
    }
    end += tensor.bytes();
  }
  if (end != file_->size()) fail_input(fmt::format("{}: the last tensor ends at byte {}, the file at {}", path_, end, file_->size()));
  by_name_.resize(tensors_.size());
  std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
  std::sort(by_name_.begin(), by_name_.end(), [&](std::size_t a, std::size_t b) { return tensors_[a].name < tensors_[b].name; });
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view wanted) const {
  const auto place = std::lower_bound(by_name_.begin(), by_name_.end(), wanted,
                                      [&](std::size_t index, std::string_view text) { return tensors_[index].name < text; });
  return place != by_name_.end() && tensors_[*place].name == wanted ? &tensors_[*place] : nullptr;
}

const SafetensorsEntry& SafetensorsFile::at(std::string_view wanted) const {
  const SafetensorsEntry* entry = find(wanted);
  if (entry == nullptr) fail_input(fmt::format("{}: has no tensor {}", path_, wanted));
  return *entry;
}

std::string SafetensorsFile::metadata(std::string_view key) const {
  for (const auto& [name, value] : metadata_) {
    if (name == key) return value;
  }
  return {};
}

void SafetensorsFile::read(const SafetensorsEntry& entry, std::int64_t begin, std::span<std::byte> out) const {
  const auto count = static_cast<std::int64_t>(out.size());
  if (begin < 0 || begin > entry.bytes() || count > entry.bytes() - begin) {
    fail(fmt::format("{}: tensor {}: bytes {} + {} of {}", path_, entry.name, begin, count, entry.bytes()));
  }
  file_->read(entry.offset + begin, out);
}

void SafetensorsFile::read(std::string_view name, Tensor out) const {
  const SafetensorsEntry& entry = at(name);
  if (entry.dtype != out.dtype || entry.shape != out.shape || !out.contiguous()) {
    fail_input(fmt::format("{}: tensor {}: found {} {}, expected {}", path_, name, weft::name(entry.dtype), to_string(entry.shape),
                           describe(out)));
  }
  read(entry, 0, {out.data, static_cast<std::size_t>(out.bytes())});
}

SafetensorsWriter::SafetensorsWriter(Storage& storage, const std::string& path, std::vector<SafetensorsEntry> tensors,
                                     const SafetensorsMetadata& metadata)
    : path_(path), tensors_(std::move(tensors)) {
  std::int64_t data_bytes = 0;
  header_ = make_header(tensors_, metadata, data_bytes);
  file_bytes_ = static_cast<std::int64_t>(header_.size()) + data_bytes;
  file_ = storage.create(path);
  file_->write(std::as_bytes(std::span(header_)));
  written_ = static_cast<std::int64_t>(header_.size());
}

void SafetensorsWriter::write(std::span<const std::byte> bytes) {
  if (static_cast<std::int64_t>(bytes.size()) > file_bytes_ - written_) fail(fmt::format("{}: more data than the header says", path_));
  file_->write(bytes);
  written_ += static_cast<std::int64_t>(bytes.size());
}

void SafetensorsWriter::finish() {
  if (written_ != file_bytes_) fail(fmt::format("{}: {} bytes written, {} announced", path_, written_, file_bytes_));
  file_->sync();
  file_->close();
}

}  // namespace weft
