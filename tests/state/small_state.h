#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parallel/mesh.h"
#include "runtime/log.h"
#include "state/checkpoint/load_checkpoint.h"
#include "state/checkpoint/saver.h"
#include "tests/support/test_context.h"

namespace weft::test {

/// A tiny model's state on one rank, whose every number is known from the step: what a save must write and a load must give back.
class SmallState {
 public:
  struct Options {
    DType dtype = DType::kBFloat16;
    OptimizerConfig optimizer{.ema_decay = 0.9};
    std::int64_t vocabulary = 11;  // rows of the embedding: 50,000 make it larger than a chunk
    bool extra_tensor = false;
    int tp_rank = 0, tp_size = 1;  // 2: matrices and biases are cut, the norm is whole on both ranks
    Control* control = nullptr;    // of a job of tp_size ranks
  };
  SmallState() : SmallState(Options{}) {}
  explicit SmallState(const Options&);

  /// Masters and moments as they are after update `step`; values are made from the masters.
  void set(std::int64_t step);
  /// Whether every master and moment has exactly the numbers of `step`, and the values are the rounded masters.
  bool is(std::int64_t step);
  static Json run_state(std::int64_t step);

  Saver::Setup setup(Storage&, const CheckpointConfig& = {});
  StateTarget target() { return {ctx_, *storage_, *shards_}; }
  /// By load_newest; -1: there is no checkpoint. Fails when run state or tensors are not those of the step that it found.
  std::int64_t load(Storage&, const std::string& run_dir = kRunDir);

  ParameterSet& parameters() { return set_; }
  OptimizerShards& shards() { return *shards_; }
  ParameterStorage& storage() { return *storage_; }
  Tensor masters() { return storage_->masters({0, set_.elements()}); }
  Control& control() { return *mesh_.control; }
  const Mesh& mesh() const { return mesh_; }
  Log& log() { return log_; }
  TestContext& context() { return ctx_; }

  static constexpr const char* kRunDir = "run";

 private:
  void add_cut(BlockId block, const std::vector<std::string>& names, Shape shape, int dim, bool decayed);

  Options options_;
  TestContext ctx_{reference_kernels(), 1 << 20};
  Mesh mesh_ = make_single_mesh();
  Log log_{Log::Options{.to_stderr = false}};
  ParameterSet set_{3};
  std::unique_ptr<ParameterStorage> storage_;
  std::unique_ptr<OptimizerShards> shards_;
};

/// Saves `step` and waits; true: committed.
bool save(SmallState&, Saver&, std::int64_t step);

}  // namespace weft::test
