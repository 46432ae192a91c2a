#pragma once
#include <memory>
#include <string>
#include <vector>

#include "runtime/files/json.h"
#include "runtime/files/safetensors.h"
#include "tests/support/test_context.h"

namespace weft::test {

/// Whether a tensor keeps its numbers as well as its dtype can, or is first rounded to bfloat16: what a bf16 run starts from.
enum class Rounding { kNone, kBFloat16 };

/// A file of tests/golden: expected values in float64, made with another framework. Format and tolerances: tests/golden/README.md.
class GoldenFile {
 public:
  explicit GoldenFile(const std::string& path);  // "layers/linear": below tests/golden, without .safetensors

  bool has(const std::string& name) const { return file_->find(name) != nullptr; }
  /// All names that begin with `prefix`, in the order of the file.
  std::vector<std::string> names(const std::string& prefix) const;
  Shape shape(const std::string& name) const { return file_->at(name).shape; }
  std::vector<double> doubles(const std::string& name) const;
  std::vector<std::int32_t> ints(const std::string& name) const;
  /// The tensor in another dtype; lives as long as the context.
  Tensor tensor(TestContext&, const std::string& name, DType, Rounding = Rounding::kNone) const;
  /// Packed tokens as sequences: `<prefix>tokens` cut at `<prefix>offsets`.
  std::vector<std::vector<std::int32_t>> sequences(const std::string& prefix) const;
  const Json& config() const { return config_; }

 private:
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<SafetensorsFile> file_;
  Json config_;
};

/// The numbers after rounding to bfloat16.
std::vector<double> rounded(std::vector<double> values, Rounding);

}  // namespace weft::test
