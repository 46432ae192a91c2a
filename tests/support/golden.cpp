#include "tests/support/golden.h"

#include <algorithm>

#include "runtime/error.h"

namespace weft::test {

GoldenFile::GoldenFile(const std::string& path)
    : storage_(make_posix_storage()),
      file_(std::make_unique<SafetensorsFile>(*storage_, std::string(WEFT_SOURCE_DIR) + "/tests/golden/" + path + ".safetensors")),
      config_(Json::parse(file_->metadata("config"), path)) {}

std::vector<std::string> GoldenFile::names(const std::string& prefix) const {
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : file_->tensors()) {
    if (entry.name.starts_with(prefix)) names.push_back(entry.name);
  }
  return names;
}

std::vector<double> GoldenFile::doubles(const std::string& name) const {
  const Shape shape = file_->at(name).shape;
  std::vector<double> values(static_cast<std::size_t>(shape.elements()));
  file_->read(name, Tensor(values.data(), shape, DType::kFloat64));
  return values;
}

std::vector<std::int32_t> GoldenFile::ints(const std::string& name) const {
  const Shape shape = file_->at(name).shape;
  std::vector<std::int64_t> wide(static_cast<std::size_t>(shape.elements()));
  file_->read(name, Tensor(wide.data(), shape, DType::kInt64));
  std::vector<std::int32_t> values;
  for (std::int64_t value : wide) values.push_back(static_cast<std::int32_t>(value));
  return values;
}

Tensor GoldenFile::tensor(TestContext& ctx, const std::string& name, DType dtype, Rounding rounding) const {
  return ctx.floats(rounded(doubles(name), rounding), dtype, shape(name));
}

std::vector<std::vector<std::int32_t>> GoldenFile::sequences(const std::string& prefix) const {
  const std::vector<std::int32_t> tokens = ints(prefix + "tokens"), offsets = ints(prefix + "offsets");
  std::vector<std::vector<std::int32_t>> sequences;
  for (std::size_t b = 0; b + 1 < offsets.size(); ++b) {
    sequences.emplace_back(tokens.begin() + offsets[b], tokens.begin() + offsets[b + 1]);
  }
  return sequences;
}

std::vector<double> rounded(std::vector<double> values, Rounding rounding) {
  if (rounding == Rounding::kNone) return values;
  for (double& value : values) value = static_cast<float>(bfloat16(static_cast<float>(value)));
  return values;
}

}  // namespace weft::test
