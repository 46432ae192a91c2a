#include "state/checkpoint/manifest.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/files/safetensors.h"
#include "state/boxes.h"

namespace weft {
namespace {

constexpr Json::Limits kLimits{.bytes = std::int64_t{256} << 20, .depth = 64, .values = 16'000'000};
constexpr std::string_view kChecksumBegin = ",\n  \"checksum\": \"", kChecksumEnd = "\"\n}\n";
constexpr std::size_t kHexDigits = 32;

Json shape_json(const Shape& shape) {
  Json json = Json::array();
  for (int d = 0; d < shape.dims(); ++d) json.push_back(shape[d]);
  return json;
}

/// 1 to 4 sizes that are not negative and whose product fits; Shape would report a broken contract instead of bad input.
Shape parse_shape(const Json& json) {
  const Json::Array& sizes = json.as_array();
  if (sizes.empty() || sizes.size() > kMaxDims) fail_input(fmt::format("{} dims, expected 1 to {}", sizes.size(), kMaxDims));
  std::vector<std::int64_t> values;
  std::int64_t bytes = 8;  // of the largest dtype
  for (const Json& size : sizes) {
    values.push_back(size.as_int());
    if (values.back() < 0) fail_input(fmt::format("negative size {}", values.back()));
    if (__builtin_mul_overflow(bytes, values.back(), &bytes)) fail_input("the product of sizes does not fit into 64 bits");
  }
  return Shape(values);
}

DType parse_dtype(const std::string& text) {
  for (const DType dtype : {DType::kFloat32, DType::kFloat64, DType::kBFloat16, DType::kInt32, DType::kInt64, DType::kUInt8}) {
    if (safetensors_name(dtype) == text) return dtype;
  }
  fail_input(fmt::format("unknown dtype \"{}\"", text.substr(0, 40)));
}

Json file_json(const CheckpointFile& file) {
  Json json;
  json.set("name", file.name).set("bytes", file.bytes);
  json.set("header_bytes", file.header_bytes).set("header_checksum", file.header_checksum.hex());
  return json;
}

CheckpointFile parse_file(const Json& json) {
  return {json.at("name").as_string(), json.at("bytes").as_int(), json.at("header_bytes").as_int(),
          parse_checksum(json.at("header_checksum").as_string())};
}

Json tensor_json(const StoredTensor& tensor) {
  Json boxes = Json::array();
  for (const StoredBox& stored : tensor.boxes) {
    Json chunks = Json::array();
    for (const Checksum& chunk : stored.chunks) chunks.push_back(chunk.hex());
    Json box;
    box.set("begin", shape_json(stored.box.begin)).set("size", shape_json(stored.box.size));
    box.set("file", stored.file).set("offset", stored.offset).set("chunks", std::move(chunks));
    boxes.push_back(std::move(box));
  }
  Json json;
  json.set("name", tensor.name).set("dtype", safetensors_name(tensor.dtype)).set("shape", shape_json(tensor.shape));
  json.set("checksum", tensor.checksum().hex()).set("boxes", std::move(boxes));
  return json;
}

StoredTensor parse_tensor(const Json& json) {
  StoredTensor tensor;
  tensor.name = json.at("name").as_string();
  tensor.dtype = parse_dtype(json.at("dtype").as_string());
  tensor.shape = parse_shape(json.at("shape"));
  for (const Json& box : json.at("boxes").as_array()) {
    StoredBox stored{{parse_shape(box.at("begin")), parse_shape(box.at("size"))}, box.at("file").as_int(), box.at("offset").as_int(), {}};
    for (const Json& chunk : box.at("chunks").as_array()) stored.chunks.push_back(parse_checksum(chunk.as_string()));
    tensor.boxes.push_back(std::move(stored));
  }
  if (parse_checksum(json.at("checksum").as_string()) != tensor.checksum()) {
    fail_input(fmt::format("tensor {}: its checksum is not that of its chunks", tensor.name.substr(0, 255)));
  }
  return tensor;
}

void parse_inventory(const Json& json, std::vector<CheckpointFile>& files, std::vector<StoredTensor>& tensors) {
  for (const Json& file : json.at("files").as_array()) files.push_back(parse_file(file));
  for (const Json& tensor : json.at("tensors").as_array()) tensors.push_back(parse_tensor(tensor));
}

/// The text without its last member, whose checksum it must have.
std::string_view checked_body(std::string_view text) {
  const std::size_t tail = kChecksumBegin.size() + kHexDigits + kChecksumEnd.size();
  if (text.size() < tail) fail_input(fmt::format("{} bytes, too short for a manifest", text.size()));
  const std::string_view body = text.substr(0, text.size() - tail), end = text.substr(body.size());
  if (!end.starts_with(kChecksumBegin) || !end.ends_with(kChecksumEnd)) fail_input("does not end in its own checksum");
  const Checksum found = checksum(body), expected = parse_checksum(end.substr(kChecksumBegin.size(), kHexDigits));
  if (found != expected) fail_input(fmt::format("checksum {}, expected {}", found.hex(), expected.hex()));
  return body;
}

Manifest parse_checked(std::string_view text) {
  checked_body(text);
  const Json json = Json::parse(text, kLimits, "JSON");
  if (const std::int64_t format = json.at("format").as_int(); format != Manifest::kFormat) {
    fail_input(fmt::format("format {}, expected {}", format, Manifest::kFormat));
  }
  Manifest manifest;
  manifest.step = json.at("step").as_int();
  manifest.run = {.seed = static_cast<std::uint64_t>(json.at("seed").as_int()),
                  .layout = json.at("layout"),
                  .fingerprints = json.at("fingerprints"),
                  .chosen = json.at("chosen"),
                  .config = json.at("config").as_string(),
                  .version = json.at("version").as_string()};
  manifest.run_state = json.at("run_state");
  parse_inventory(json, manifest.files, manifest.tensors);
  check_manifest(manifest);
  return manifest;
}

}  // namespace

Checksum StoredTensor::checksum() const {
  std::vector<Checksum> all;
  for (const StoredBox& stored : boxes) all.insert(all.end(), stored.chunks.begin(), stored.chunks.end());
  return weft::checksum(std::span<const Checksum>(all));
}

const StoredTensor* Manifest::find(std::string_view name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const StoredTensor& tensor) { return tensor.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

std::int64_t Manifest::bytes() const {
  std::int64_t sum = 0;
  for (const CheckpointFile& file : files) sum += file.bytes;
  return sum;
}

std::string manifest_text(const Manifest& manifest) {
  Json json;
  json.set("format", Manifest::kFormat).set("step", manifest.step).set("seed", static_cast<std::int64_t>(manifest.run.seed));
  json.set("version", manifest.run.version).set("layout", manifest.run.layout).set("fingerprints", manifest.run.fingerprints);
  json.set("chosen", manifest.run.chosen).set("config", manifest.run.config).set("run_state", manifest.run_state);
  const Json inventory = inventory_json(manifest.files, manifest.tensors);
  for (const Json::Member& member : inventory.as_object()) json.set(member.key, member.value);
  std::string text = json.dump(2);
  text.resize(text.size() - 2);  // "\n}": the checksum comes in between
  return fmt::format("{}{}{}{}", text, kChecksumBegin, checksum(text).hex(), kChecksumEnd);
}

Manifest parse_manifest(std::string_view text, const std::string& where) {
  try {
    return parse_checked(text);
  } catch (const Error& error) {
    fail_input(fmt::format("{}: {}", where, error.what()));
  }
}

Json inventory_json(const std::vector<CheckpointFile>& files, const std::vector<StoredTensor>& tensors) {
  Json file_list = Json::array(), tensor_list = Json::array();
  for (const CheckpointFile& file : files) file_list.push_back(file_json(file));
  for (const StoredTensor& tensor : tensors) tensor_list.push_back(tensor_json(tensor));
  return Json::object().set("files", std::move(file_list)).set("tensors", std::move(tensor_list));
}

void merge_inventory(Manifest& manifest, const Json& inventory) {
  const auto first_file = static_cast<std::int64_t>(manifest.files.size());
  std::vector<StoredTensor> tensors;
  parse_inventory(inventory, manifest.files, tensors);
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < manifest.tensors.size(); ++i) places.emplace(manifest.tensors[i].name, i);
  for (StoredTensor& tensor : tensors) {
    for (StoredBox& stored : tensor.boxes) stored.file += first_file;
    const auto [place, is_new] = places.emplace(tensor.name, manifest.tensors.size());
    if (is_new) {
      manifest.tensors.push_back(std::move(tensor));
    } else {
      std::vector<StoredBox>& boxes = manifest.tensors[place->second].boxes;
      boxes.insert(boxes.end(), tensor.boxes.begin(), tensor.boxes.end());
    }
  }
}

}  // namespace weft
