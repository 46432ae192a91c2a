#pragma once
#include <cstdint>
#include <vector>

#include "data/data_config.h"
#include "data/dataset.h"

namespace weft {

/// Where the data stand: saved in a checkpoint, so that a resume seeks instead of replaying.
struct Position {
  std::int64_t epoch = 0;    // from 0
  std::int64_t window = 0;   // of the epoch
  std::int64_t batch = 0;    // of the window
  std::int64_t samples = 0;  // of the epoch that are done
  friend bool operator==(const Position&, const Position&) = default;
};

/// One sentence pair of an update.
struct Sample {
  std::int64_t index;   // in the data set
  std::int64_t number;  // in the update, from 0: part of every dropout counter, the same on any layout
  Lengths lengths;
};

/// All that one step of the whole job trains on, of any number of ranks and passes.
struct Update {
  std::vector<Sample> samples;
  std::int64_t loss_tokens = 0;    // target tokens with their ends: what the loss is taken over
  std::int64_t source_tokens = 0;  // with their ends
  Position next;
};

struct SamplerConfig {
  std::uint64_t seed = 1;
  BatchType batch_type = BatchType::kTokens;
  std::int64_t batch_size = 25000;    // tokens: bound on the sum of the longer sides, end tokens included; or sentences
  std::int64_t bucket_size = 100000;  // the most sequences that are sorted by length together
  bool shuffle = true;                // false: file order, nothing is sorted
  bool equal_windows = true;          // false: full ones and a rest, as checkpoints from before this member have it
  friend bool operator==(const SamplerConfig&, const SamplerConfig&) = default;
};

/// Cuts epochs into updates. An epoch is a seeded permutation of the data set, cut into as few windows as `bucket_size` allows, of equal
/// size but for one sentence, each sorted by length, cut where the budget is full, and its batches shuffled. A sentence that is longer than
/// the budget is a batch by itself. Every update is a pure function of (configuration, position); the window in hand is kept, so that
/// neighbours are cheap. Not for two threads: copy it.
class BatchSampler {
 public:
  /// The data set must outlive the sampler.
  BatchSampler(const Dataset&, const SamplerConfig&);
  /// A run that goes on from `position` with other settings than `before`: what was cut stays so to the end of its window, or of its epoch
  /// where the windows themselves are others, so that no sentence is left out or comes twice.
  BatchSampler(const Dataset&, const SamplerConfig&, const SamplerConfig& before, const Position& position);
  /// The settings that a position belongs to.
  const SamplerConfig& config_at(const Position&) const;
  /// A position this data set does not have is an error.
  Update update(const Position&);

 private:
  struct Window {
    std::int64_t epoch = -1, number = -1;
    std::vector<std::int64_t> order;        // sentences of the window
    std::vector<std::int64_t> begin;        // of each batch in `order`, and the end
    std::vector<std::int64_t> batch_order;  // the batches as they come
  };
  void load(std::int64_t epoch, std::int64_t window, const SamplerConfig&);
  void order_window(std::int64_t begin, std::int64_t end, const SamplerConfig&);
  void cut_window(const SamplerConfig&);

  const Dataset* data_;
  SamplerConfig config_, before_;
  Position from_;  // before_ holds from there to the end of its window or epoch
  bool same_windows_ = true;
  Window window_;
};

}  // namespace weft
