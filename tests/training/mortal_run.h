#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "data/batch_sampler.h"
#include "parallel/mesh.h"
#include "tests/data/test_dataset.h"
#include "tests/state/faulty_storage.h"
#include "tests/state/memory_storage.h"

namespace weft::test {

/// When which rank dies: at a call of its storage, before, in the middle or after it; or in a message to the other ranks.
struct Fate {
  int rank = 0;
  FaultyStorage::Kind kind = FaultyStorage::Kind::kKillBefore;
  std::int64_t storage_call = 0, message = 0;  // from 1; 0: never
};

/// What is seen of a run from outside, over all its starts.
struct History {
  std::map<std::int64_t, Position> position;     // by step: where the data stood after it, as the last start to do that step saw it
  std::int64_t committed = -1;                   // the newest step that was called committed
  std::int64_t storage_calls = 0, messages = 0;  // of rank 0 in the last start
};

/// A tiny Transformer, dropout on, trained by the real trainer, loader and saver on ranks that are threads.
class MortalRun {
 public:
  static constexpr const char* kRunDir = "run";
  static constexpr std::int64_t kSteps = 24, kSaveEvery = 3;

  MortalRun();

  /// Starts from the newest checkpoint in `storage`, as `weft train` does, or from the one of `other_run_dir` when there is none. True: it
  /// ran to its last step; false: it died as `fate` says. Any other end is an error, and so is a start from before history.committed.
  bool start(MemoryStorage& storage, Grid grid, const Fate& fate, History& history, const std::string& other_run_dir = "");

  const Dataset& data() const { return *data_; }
  SamplerConfig sampler() const;

  std::string run_dir = kRunDir;
  std::int64_t steps = kSteps;  // of the run that starts next

  /// Data-parallel and tensor-parallel ranks of a start. Of four that share the vocabulary two hold nothing of it.
  static constexpr std::array<Grid, 5> kGrids{{{1, 1}, {2, 1}, {4, 1}, {2, 2}, {1, 4}}};

 private:
  void train(Mesh& mesh, Storage& storage, History& history, const std::string& other_run_dir);

  TestDataset data_{text_lengths(120, 5, 12)};
  std::map<std::pair<int, int>, std::int64_t> arena_bytes_;  // by grid
};

}  // namespace weft::test
