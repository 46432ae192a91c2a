// Any layout loads any checkpoint: tensors cut into other boxes than the ones they are read by.
#include <gtest/gtest.h>

#include "runtime/random.h"
#include "state/checkpoint/run_directory.h"
#include "state/checkpoint/state_boxes.h"
#include "tests/state/memory_storage.h"
#include "tests/state/small_state.h"

namespace weft {
namespace {

using test::MemoryStorage;
using test::SmallState;

/// Deals the boxes of one state to so many ranks: each box cut at drawn places, each piece to a drawn rank.
std::vector<std::vector<StateBox>> deal(const std::vector<StateBox>& boxes, std::size_t ranks, std::uint64_t seed) {
  std::vector<std::vector<StateBox>> dealt(ranks);
  const RandomKey key = random_key(seed, "deal");
  std::uint64_t draws = 0;
  for (const StateBox& state : boxes) {
    const std::int64_t count = elements(state.box);
    for (std::int64_t begin = 0; begin < count;) {
      const std::int64_t end = begin + 1 + static_cast<std::int64_t>(random_below(key, draws++, static_cast<std::uint64_t>(count - begin)));
      const std::size_t rank = random_below(key, draws++, ranks);
      std::int64_t place = begin;
      for (const Box& box : boxes_of_range(state.box, begin, end)) {
        dealt[rank].push_back({state.name, state.kind, state.shape, box, state.data.rows(place, elements(box))});
        place += elements(box);
      }
      begin = end;
    }
  }
  return dealt;
}

/// What the ranks of a job would write: all their files in one folder, one manifest.
void write(MemoryStorage& storage, SmallState& state, std::int64_t step, const std::vector<std::vector<StateBox>>& dealt) {
  const std::string folder = "run/" + step_folder(step);
  storage.create_folder(folder);
  Manifest manifest{.step = step, .run_state = SmallState::run_state(step)};
  std::vector<std::byte> buffer(static_cast<std::size_t>(kChunkBytes));
  for (std::size_t rank = 0; rank < dealt.size(); ++rank) {
    Device& device = state.context().context().device;
    const Inventory inventory = write_checkpoint_files({.storage = storage,
                                                        .folder = folder,
                                                        .rank = {static_cast<int>(rank), static_cast<int>(dealt.size())},
                                                        .boxes = dealt[rank],
                                                        .device = device,
                                                        .stream = device.stream(StreamKind::kCopy),
                                                        .buffer = Tensor(buffer.data(), {kChunkBytes}, DType::kUInt8),
                                                        .when_read = [] {}});
    merge_inventory(manifest, inventory_json(inventory.files, inventory.tensors));
  }
  const auto file = storage.create(folder + "/manifest.json");
  const std::string text = manifest_text(manifest);
  file->write(std::as_bytes(std::span(text)));
}

TEST(LayoutTest, BoxesOfAnyRanksAreReadBitForBit) {
  for (const std::int64_t vocabulary : {11, 50000}) {
    SmallState state({.vocabulary = vocabulary}), other({.vocabulary = vocabulary});
    for (std::int64_t step = 1; step <= (vocabulary > 100 ? 5 : 100); ++step) {
      MemoryStorage storage;
      storage.create_folder("run");
      state.set(step);
      const auto ranks = static_cast<std::size_t>(1 + step % 5);
      write(storage, state, step, deal(boxes_to_save(state.parameters(), state.shards(), 0), ranks, static_cast<std::uint64_t>(step)));
      ASSERT_EQ(other.load(storage), step) << ranks << " ranks";
    }
  }
}

TEST(LayoutTest, EveryBoxCanBeReadByItself) {
  SmallState state;
  MemoryStorage storage;
  storage.create_folder("run");
  state.set(1);
  const std::vector<StateBox> boxes = boxes_to_save(state.parameters(), state.shards(), 0);
  write(storage, state, 1, deal(boxes, 3, 1));
  const CheckpointReader reader(storage, "run/" + step_folder(1));
  for (const StateBox& state_box : boxes) {
    if (state_box.shape.dims() != 2) continue;
    const std::int64_t columns = state_box.shape[1];
    for (std::int64_t part = 0; part < 2; ++part) {  // as two tensor-parallel ranks hold a matrix that is cut by columns
      const Box half{{0, part * columns / 2}, {state_box.shape[0], columns / 2}};
      std::vector<float> found(static_cast<std::size_t>(elements(half)));
      reader.read(*reader.manifest().find(state_box.name), half, std::as_writable_bytes(std::span(found)));
      for (std::int64_t i = 0; i < elements(half); ++i) {
        const std::int64_t row = i / (columns / 2), column = half.begin[1] + i % (columns / 2);
        ASSERT_EQ(found[static_cast<std::size_t>(i)], state_box.data.as<float>()[row * columns + column]) << state_box.name;
      }
    }
  }
}

TEST(LayoutTest, ARankThatIsMissingIsNoticed) {
  SmallState state;
  MemoryStorage storage;
  storage.create_folder("run");
  state.set(1);
  auto dealt = deal(boxes_to_save(state.parameters(), state.shards(), 0), 3, 1);
  dealt.pop_back();
  write(storage, state, 1, dealt);
  EXPECT_THROW(state.load(storage), Error);
}

// several hosts' local rank 0 write one file (apex #886)
TEST(LayoutTest, FileNamesComeFromTheRankInTheJob) {
  SmallState state;
  MemoryStorage storage;
  storage.create_folder("run");
  write(storage, state, 1, deal(boxes_to_save(state.parameters(), state.shards(), 0), 2, 1));
  std::vector<std::string> names;
  for (const Storage::Entry& entry : storage.list("run/" + step_folder(1))) names.push_back(entry.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"manifest.json", "optimizer-00000-of-00002.safetensors", "optimizer-00001-of-00002.safetensors",
                                      "weights-00000-of-00002.safetensors", "weights-00001-of-00002.safetensors"}));
}

}  // namespace
}  // namespace weft
