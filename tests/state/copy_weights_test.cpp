#include "state/checkpoint/copy_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/files/safetensors.h"
#include "tests/state/memory_storage.h"
#include "tests/state/small_state.h"

namespace weft::test {
namespace {

/// Saves a state of step 4, copies its weights and opens the copy as the manifest describes it.
class CopyWeightsTest : public testing::Test {
 protected:
  CheckpointReader copy_of(SmallState& state) {
    storage_.create_folder(SmallState::kRunDir);
    Saver saver(state.setup(storage_));
    EXPECT_TRUE(save(state, saver, 4));
    const CheckpointReader reader(storage_, std::string(SmallState::kRunDir) + "/step-000000000004");
    storage_.create_folder("model");
    Manifest manifest{.step = 4, .run = reader.manifest().run, .run_state = Json::object(), .files = {}, .tensors = {}};
    Inventory inventory = copy_weights(reader, storage_, "model");
    manifest.files = inventory.files;
    manifest.tensors = inventory.tensors;
    const std::string text = manifest_text(manifest);
    const auto file = storage_.create("model/manifest.json");
    file->write(std::as_bytes(std::span(text)));
    file->close();
    return CheckpointReader(storage_, "model");
  }

  /// Every weight as the checkpoint has it under `prefix`.
  void expect_copies(const CheckpointReader& copy, const std::string& prefix) {
    const SafetensorsFile weights(storage_, "model/model.safetensors");
    const CheckpointReader from(storage_, std::string(SmallState::kRunDir) + "/step-000000000004");
    std::size_t weights_there = 0;
    for (const StoredTensor& tensor : from.manifest().tensors) weights_there += !is_moment(tensor.name);
    EXPECT_EQ(weights.tensors().size(), weights_there);
    for (const StoredTensor& tensor : copy.manifest().tensors) {
      std::vector<std::byte> found(static_cast<std::size_t>(weights.at(tensor.name).bytes())), expected(found.size());
      weights.read(weights.at(tensor.name), 0, found);
      const StoredTensor* stored = from.manifest().find(prefix + tensor.name);
      ASSERT_NE(stored, nullptr) << tensor.name;
      from.read(*stored, tensor.boxes[0].box, expected);
      EXPECT_EQ(found, expected) << tensor.name;
    }
  }
  MemoryStorage storage_;
};

TEST_F(CopyWeightsTest, AveragedWeightsStandUnderTheNamesOfTheWeights) {
  SmallState state({.optimizer = {.ema_decay = 0.9}, .vocabulary = 50000});  // tensors of more than a chunk
  const CheckpointReader copy = copy_of(state);
  copy.verify();
  expect_copies(copy, "ema.");
}

TEST_F(CopyWeightsTest, WithoutAnAverageTheWeightsAreCopied) {
  SmallState state({.optimizer = {.ema_decay = 0}});
  const CheckpointReader copy = copy_of(state);
  copy.verify();
  expect_copies(copy, "");
}

}  // namespace
}  // namespace weft::test
