// Ranks as threads that die at random: at a call of the storage, in a message to the others; half of the times the host loses its power
// too. Every run ends with the bytes of one that was never disturbed, with the same data-parallel and tensor-parallel ranks; with changing
// ones with the same data, step by step.
// usage: kill_campaign KILLS [SEED]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/random.h"
#include "state/checkpoint/checkpoint_reader.h"
#include "state/checkpoint/run_directory.h"
#include "tests/training/mortal_run.h"

namespace weft::test {
namespace {

using Kind = FaultyStorage::Kind;

class Draws {
 public:
  explicit Draws(std::uint64_t seed) : key_(random_key(seed, "kills")) {}
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_below(key_, count_++, static_cast<std::uint64_t>(bound)));
  }
  RandomKey key() { return random_key(static_cast<std::uint64_t>(below(1 << 30)), "power"); }

 private:
  RandomKey key_;
  std::uint64_t count_ = 0;
};

struct Counts {
  std::int64_t kills = 0, power_losses = 0, by_kind[4] = {}, starts = 0, runs = 0;
};

std::unique_ptr<MemoryStorage> empty_storage() {
  auto storage = std::make_unique<MemoryStorage>();
  storage->create_folder(MortalRun::kRunDir);
  storage->sync_folder("");
  return storage;
}

std::string last_folder(std::int64_t step = MortalRun::kSteps) {
  return std::string(MortalRun::kRunDir) + "/" + step_folder(step);
}

void require(bool holds, const std::string& what) {
  if (!holds) fail(what);
}

/// All files of tensors of the last checkpoint.
std::map<std::string, std::string> tensor_files(MemoryStorage& storage) {
  std::map<std::string, std::string> files;
  for (const Storage::Entry& entry : storage.list(last_folder())) {
    if (entry.name.ends_with(".safetensors")) files[entry.name] = storage.bytes(last_folder() + "/" + entry.name);
  }
  return files;
}

std::map<std::string, std::vector<std::byte>> tensors(MemoryStorage& storage, const std::string& folder) {
  std::map<std::string, std::vector<std::byte>> all;
  const CheckpointReader reader(storage, folder);
  for (const StoredTensor& tensor : reader.manifest().tensors) {
    Box whole{.begin = tensor.shape, .size = tensor.shape};
    for (int dim = 0; dim < whole.begin.dims(); ++dim) whole.begin[dim] = 0;
    std::vector<std::byte>& bytes = all[tensor.name];
    bytes.resize(static_cast<std::size_t>(tensor.shape.elements() * size_of(tensor.dtype)));
    reader.read(tensor, whole, bytes);
  }
  return all;
}

/// Steps 1, 2, ... each begin where the one before ended, and every whole epoch holds each sample once.
void require_each_sample_once(const MortalRun& run, const History& history) {
  BatchSampler sampler(run.data(), run.sampler());
  std::map<std::int64_t, std::vector<std::int64_t>> seen;  // by epoch
  Position at;
  for (std::int64_t step = 1; step <= MortalRun::kSteps; ++step) {
    const Update update = sampler.update(at);
    for (const Sample& sample : update.samples) seen[at.epoch].push_back(sample.index);
    require(history.position.at(step) == update.next, fmt::format("step {} left the data elsewhere", step));
    at = update.next;
  }
  std::int64_t whole = 0;
  for (auto& [epoch, samples] : seen) {
    std::sort(samples.begin(), samples.end());
    require(std::adjacent_find(samples.begin(), samples.end()) == samples.end(), fmt::format("a sample twice in epoch {}", epoch));
    whole += static_cast<std::int64_t>(samples.size()) == run.data().size();
  }
  require(whole >= 2, "fewer than two whole epochs: the check shows nothing");
}

/// One run that is killed until it has had `most` kills or ends; `ranks_of` says how many ranks the next start has.
History disturbed(MortalRun& run, std::unique_ptr<MemoryStorage>& storage, const History& calm, const std::function<Grid()>& grid_of,
                  Draws& draws, Counts& counts) {
  History history;
  for (;;) {
    const Grid grid = grid_of();
    Fate fate{.rank = static_cast<int>(draws.below(grid.data * grid.tensor))};
    // A start does about a quarter of the run before it is killed.
    const std::int64_t kind = draws.below(4);
    if (kind < 3) {
      fate.kind = std::array{Kind::kKillBefore, Kind::kKillTorn, Kind::kKillAfter}[static_cast<std::size_t>(kind)];
      fate.storage_call = 1 + draws.below(std::max<std::int64_t>(calm.storage_calls / 2, 2));
    } else {
      fate.message = 1 + draws.below(std::max<std::int64_t>(calm.messages / 2, 2));
    }
    counts.starts += 1;
    if (run.start(*storage, grid, fate, history)) return history;
    counts.kills += 1;
    counts.by_kind[kind] += 1;
    if (draws.below(2) == 0) {
      storage = storage->after_power_loss(draws.key());
      counts.power_losses += 1;
    }
  }
}

/// A run that goes on with another grid of ranks every few steps. What a start loads, and writes again before any step, has the bits that
/// were saved.
void require_same_tensors_on_any_grid() {
  MortalRun run;
  const auto storage = empty_storage();
  History history;
  std::int64_t step = 0;
  for (const Grid grid : {Grid{4, 1}, Grid{2, 2}, Grid{1, 4}, Grid{1, 1}, Grid{4, 1}}) {
    if (step > 0) {
      run.run_dir = fmt::format("step {} on {}", step, describe(grid));
      storage->create_folder(run.run_dir);
      History copied;
      require(run.start(*storage, grid, {}, copied, MortalRun::kRunDir) && copied.position.empty(), "a copy died, or has done steps");
      require(tensors(*storage, last_folder(step)) == tensors(*storage, run.run_dir + "/" + step_folder(step)),
              fmt::format("{} load other tensors than were saved", describe(grid)));
    }
    run.run_dir = MortalRun::kRunDir;
    run.steps = step = std::min(step + 5, MortalRun::kSteps);
    require(run.start(*storage, grid, {}, history), "an undisturbed run died");
  }
  require_each_sample_once(run, history);
}

int campaign(std::int64_t kills, std::uint64_t seed) {
  fmt::print("{} kills, seed {}\n", kills, seed);
  require_same_tensors_on_any_grid();
  fmt::print("data 4 -> data 2 x tensor 2 -> tensor 4 -> 1 rank -> data 4: the tensors that were saved, bit for bit\n");
  MortalRun run;
  Draws draws(seed);
  std::array<std::map<std::string, std::string>, MortalRun::kGrids.size()> expected;
  History calm;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto storage = empty_storage();
    calm = {};
    require(run.start(*storage, MortalRun::kGrids[i], {}, calm), "an undisturbed run died");
    expected[i] = tensor_files(*storage);
    require_each_sample_once(run, calm);
  }
  Counts same, changing;
  const auto draw = [&] { return static_cast<std::size_t>(draws.below(MortalRun::kGrids.size())); };
  while (same.kills + changing.kills < kills) {
    const bool changes = draws.below(4) == 0;
    const std::size_t fixed = draw();
    auto storage = empty_storage();
    const History history = disturbed(
        run, storage, calm, [&] { return MortalRun::kGrids[changes ? draw() : fixed]; }, draws, changes ? changing : same);
    (changes ? changing : same).runs += 1;
    require_each_sample_once(run, history);
    if (!changes) {
      require(tensor_files(*storage) == expected[fixed],
              fmt::format("{}: other bytes than undisturbed", describe(MortalRun::kGrids[fixed])));
    }
  }
  for (const auto& [what, counts] : {std::pair("the same ranks, same bytes", same), std::pair("changing ranks", changing)}) {
    fmt::print("{}: {} runs, {} starts, {} kills ({} before, {} in, {} after a file call, {} in a message; {} with power loss)\n", what,
               counts.runs, counts.starts, counts.kills, counts.by_kind[0], counts.by_kind[1], counts.by_kind[2], counts.by_kind[3],
               counts.power_losses);
  }
  return 0;
}

}  // namespace
}  // namespace weft::test

int main(int argc, char** argv) {
  const std::int64_t kills = argc > 1 ? std::atoll(argv[1]) : 0;
  if (kills <= 0) {
    fmt::print(stderr, "usage: kill_campaign KILLS [SEED]; without a seed WEFT_TEST_SEED, or the clock\n");
    return 64;
  }
  const char* asked = argc > 2 ? argv[2] : std::getenv("WEFT_TEST_SEED");
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const std::uint64_t seed = asked != nullptr ? std::strtoull(asked, nullptr, 10) : static_cast<std::uint64_t>(now) % 1000000;
  try {
    return weft::test::campaign(kills, seed);
  } catch (const std::exception& error) {
    fmt::print("FAILED (seed {}): {}\n", seed, error.what());
    return 1;
  }
}
