#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/batch_sampler.h"
#include "layers/parameter.h"
#include "models/model_config.h"
#include "parallel/mesh.h"
#include "runtime/device.h"
#include "state/optimizer_config.h"
#include "training/training_config.h"

namespace weft {

/// A few updates from the initial weights, to compare layouts by. Biases are drawn too, not 0.
struct LayoutRunConfig {
  std::uint64_t seed = 1;
  ModelConfig model;  // with the sizes of its vocabularies
  OptimizerConfig optimizer;
  TrainingConfig training;
  ParallelConfig parallel;
  SamplerConfig sampling;
  DType dtype = DType::kFloat32;
  std::int64_t micro_batch_rows = 0;
  std::int64_t arena_bytes = 0;  // by measure_memory, for that micro-batch and this layout
  std::int64_t updates = 1;
};

/// What one rank holds of a tensor.
struct HeldTensor {
  std::string name;
  Shape shape;  // of the whole tensor
  Box box;
  std::vector<float> numbers;  // of the box, row by row
};

struct LayoutRun {
  struct Step {
    double loss;       // per counted target token, of all ranks
    double grad_norm;  // before clipping, of all ranks
  };
  std::vector<Step> steps;            // the same on every rank
  std::vector<HeldTensor> gradients;  // of the first update, summed over the data-parallel ranks
  std::vector<HeldTensor> weights;    // after the last update
};

/// One rank's part. It is what `train` computes, without log, saves and validations.
LayoutRun run_layout(Mesh&, Device&, const LayoutRunConfig&, const Dataset&);

}  // namespace weft
