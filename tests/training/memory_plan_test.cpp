#include "training/memory_plan.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "data/batch_builder.h"
#include "models/transformer.h"
#include "parallel/threads/thread_communicator.h"
#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "runtime/kernels/cpu/matmul.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/step_state.h"
#include "state/gradient_reducer.h"
#include "state/optimizer_shards.h"

namespace {
std::atomic<std::int64_t> our_allocations{0};

/// dnnl_primitive_execute itself builds a small map of its arguments at every call; nothing outside it may allocate.
bool is_in_onednn(const void* caller) {
  Dl_info where{};
  return dladdr(caller, &where) != 0 && where.dli_fname != nullptr && std::strstr(where.dli_fname, "libdnnl") != nullptr;
}
}  // namespace

// Every allocation through operator new is counted, on all threads.
void* operator new(std::size_t size) {
  if (!is_in_onednn(__builtin_return_address(0))) ++our_allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace weft {
namespace {

constexpr std::int64_t kVocabulary = 300;
constexpr std::int64_t kMaxLength = 12;
constexpr std::int64_t kRows = 96;
constexpr std::int64_t kStepStateBytes = 8 * std::int64_t{StepState::kFields};
constexpr std::int64_t kFieldBytes = kStepStateBytes + 8 * std::int64_t{LossSums::kFields};

MemoryQuestion question(DType dtype, NormPosition norm, bool recompute) {
  ModelConfig model;
  model.encoder = model.decoder = {.num_layers = 2, .num_heads = 4, .ffn_size = 96};
  model.hidden_size = 48;
  model.norm_position = norm;
  model.max_length = kMaxLength;
  model.dropout = model.attention_dropout = model.activation_dropout = 0.1;
  model.recompute_blocks = recompute;
  model.source_vocab_size = model.target_vocab_size = kVocabulary;
  return {.model = model, .optimizer = {.ema_decay = 0.9}, .dtype = dtype, .kernels = &cpu_kernels(instruction_set())};
}

/// Every key of today's models at once, heads of a size of their own.
MemoryQuestion modern(MemoryQuestion q, Positions positions) {
  for (StackConfig* stack : {&q.model.encoder, &q.model.decoder}) stack->num_kv_heads = 4, stack->head_dim = 16, stack->num_heads = 8;
  q.model.activation = FfnActivation::kSwiglu;
  q.model.norm = NormKind::kRmsNorm;
  q.model.positions = positions;
  q.model.bias = false;
  return q;
}

/// Training steps on real memory, as the loop runs them.
class RealSteps {
 public:
  RealSteps(const MemoryQuestion& q, std::int64_t arena_bytes, Mesh mesh = make_single_mesh())
      : device_(*q.kernels),
        mesh_(std::move(mesh)),
        parameters_(1),
        model_(make_transformer(q.model, parameters_, TensorParallel(*mesh_.tp))),
        storage_(parameters_, *mesh_.dp, device_, q.dtype),
        optimizer_(q.optimizer, storage_, mesh_, device_),
        reducer_(storage_, *mesh_.dp),
        arena_memory_(device_.allocate(arena_bytes, MemoryKind::kDevice)),
        arena_(arena_memory_.data(), arena_bytes),
        fields_(device_.allocate(kFieldBytes, MemoryKind::kDevice)),
        ctx_{device_, device_.stream(StreamKind::kCompute), arena_, fields_.tensor({StepState::kFields}, DType::kFloat64), true},
        sums_(fields_.data() + kStepStateBytes, {LossSums::kFields}, DType::kFloat64) {
    std::memset(fields_.data(), 0, static_cast<std::size_t>(fields_.bytes()));
    storage_.initialize(ctx_);
    optimizer_.initialize(ctx_);
  }

  void step(const Batch& batch) {
    double* state = ctx_.step_state.as<double>();
    state[StepState::kStep] += 1;
    state[StepState::kLearningRate] = 1e-3;
    state[StepState::kLossScale] = 1.0 / static_cast<double>(batch.target.rows);
    reducer_.begin_update(1);
    model_->forward_backward(ctx_, batch, reducer_, sums_);
    reducer_.finish(ctx_);
    optimizer_.update(ctx_, reducer_.slices());
  }
  std::int64_t peak() const { return arena_.peak(); }
  double loss() const { return sums_.as<double>()[LossSums::kLoss]; }

 private:
  CpuDevice device_;
  Mesh mesh_;
  ParameterSet parameters_;
  std::unique_ptr<TranslationModel> model_;
  ParameterStorage storage_;
  OptimizerShards optimizer_;
  GradientReducer reducer_;
  Memory arena_memory_;
  StepArena arena_;
  Memory fields_;
  Context ctx_;
  Tensor sums_;
};

/// A batch with every extent at its largest: as many sequences as rows (so most are single tokens), sized for sentences of max_length.
class CapacityBatch {
 public:
  explicit CapacityBatch(std::int64_t rows)
      : device_(reference_kernels()),
        extent_(capacity_extent(rows, kMaxLength, kMaxLength)),
        memory_(device_.allocate(batch_bytes(extent_), MemoryKind::kDevice)),
        batch_(view_batch(memory_, extent_)) {
    std::vector<std::int32_t> tokens(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<std::int32_t>(3 + (i * 37) % (kVocabulary - 3));
    std::vector<RowSource> sequences;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      sequences.push_back({.tokens = std::span(tokens).subspan(i, 1), .number = static_cast<std::int64_t>(i)});
    fill_rows(batch_.source, sequences, kVocabulary);
    fill_rows(batch_.target, sequences, kVocabulary);
    for (std::int64_t i = 0; i < rows; ++i) {
      batch_.labels.as<std::int32_t>()[i] = tokens[static_cast<std::size_t>(i)];
      batch_.weights.as<float>()[i] = 1;
    }
  }
  const Batch& batch() const { return batch_; }

 private:
  CpuDevice device_;
  BatchExtent extent_;
  Memory memory_;
  Batch batch_;
};

struct Case {
  DType dtype;
  NormPosition norm;
  bool recompute;
  Positions modern_positions = Positions::kNone;  // none: a plain model

  MemoryQuestion question() const {
    const MemoryQuestion plain = weft::question(dtype, norm, recompute);
    return modern_positions == Positions::kNone ? plain : modern(plain, modern_positions);
  }
};

class MemoryPlanTest : public testing::TestWithParam<Case> {};

TEST_P(MemoryPlanTest, DryRunPeakIsTheRealPeakAtCapacity) {
  const MemoryQuestion q = GetParam().question();
  const MemoryPlan plan = measure_memory(q, kRows);
  RealSteps steps(q, plan.activations);
  steps.step(CapacityBatch(kRows).batch());
  EXPECT_EQ(steps.peak(), plan.activations);
  EXPECT_GT(steps.loss(), 0);
}

/// The plan is of the first rank, which has the largest piece of the vocabulary.
TEST_P(MemoryPlanTest, DryRunPeakIsTheRealPeakOfTensorParallelRanks) {
  for (const int ranks : {2, 4}) {
    MemoryQuestion q = GetParam().question();
    q.grid = {1, ranks};
    const MemoryPlan plan = measure_memory(q, kRows);
    run_ranks(ranks, {.tensor = ranks}, [&](Mesh& mesh) {
      const int rank = mesh.tp->rank();
      RealSteps steps(q, plan.activations, std::move(mesh));
      steps.step(CapacityBatch(kRows).batch());
      if (rank == 0) {
        EXPECT_EQ(steps.peak(), plan.activations) << ranks;
      } else {
        EXPECT_LE(steps.peak(), plan.activations) << ranks;
      }
    });
  }
}

TEST_P(MemoryPlanTest, StepsAllocateNothingOnceTheirShapesAreKnown) {
  const MemoryQuestion q = GetParam().question();
  RealSteps steps(q, measure_memory(q, kRows).activations);
  const CapacityBatch one(kRows), other(kRows - 17);
  for (int i = 0; i < 2; ++i) {
    steps.step(one.batch());
    steps.step(other.batch());
  }
  ASSERT_GT(our_allocations, 0);  // the counter counts
  const std::int64_t primitives = matmul_primitives_created(), before = our_allocations;
  for (int i = 0; i < 3; ++i) {
    steps.step(one.batch());
    steps.step(other.batch());
  }
  EXPECT_EQ(our_allocations - before, 0);
  EXPECT_EQ(matmul_primitives_created() - primitives, 0);
}

INSTANTIATE_TEST_SUITE_P(Cases, MemoryPlanTest,
                         testing::Values(Case{DType::kFloat32, NormPosition::kPost, false}, Case{DType::kFloat32, NormPosition::kPre, true},
                                         Case{DType::kBFloat16, NormPosition::kPre, false},
                                         Case{DType::kBFloat16, NormPosition::kPost, true},
                                         Case{DType::kFloat32, NormPosition::kPre, false, Positions::kRope},
                                         Case{DType::kBFloat16, NormPosition::kPre, true, Positions::kRope},
                                         Case{DType::kBFloat16, NormPosition::kPost, false, Positions::kAlibi}));

TEST(MemoryPlanChoiceTest, LessMemoryMeansMorePassesAndNeverLessThanASentence) {
  const MemoryQuestion q = question(DType::kFloat32, NormPosition::kPre, false);
  const std::int64_t whole = measure_memory(q, 960).total(), half = measure_memory(q, 480).total();
  EXPECT_EQ(fit_micro_batch(q, 960, whole).micro_batch_rows, 960);
  EXPECT_EQ(fit_micro_batch(q, 960, half).micro_batch_rows, 320 + kMaxLength);  // 480 and room for a sentence do not fit
  EXPECT_EQ(fit_micro_batch(q, 960, 0).micro_batch_rows, kMaxLength);
  EXPECT_LT(half, whole);
}

/// transformer-base on 4 ranks: 60.5 M gradients of 4 bytes; a rank of stage 2 has a quarter, the shared embeddings (16.4 M) and one
/// bucket.
TEST(MemoryPlanChoiceTest, StageTwoKeepsAShareOfTheGradients) {
  MemoryQuestion q = question(DType::kFloat32, NormPosition::kPost, false);
  q.model.hidden_size = 512;
  q.model.encoder = q.model.decoder = {.num_layers = 6, .num_heads = 8, .ffn_size = 2048};
  q.model.source_vocab_size = q.model.target_vocab_size = 32000;
  q.grid = {4, 1};
  q.parallel.zero_stage = 1;
  EXPECT_NEAR(static_cast<double>(measure_memory(q, 64).gradients), 242e6, 1e6);
  q.parallel.zero_stage = 2;
  EXPECT_LT(static_cast<double>(measure_memory(q, 64).gradients), 242e6 / 4 + 66e6 + 2 * 25e6);
}

/// Validation searches, whatever else decoding may ask for.
TEST(MemoryPlanChoiceTest, ADrawIsPlannedAsTheSearchThatValidationMakes) {
  MemoryQuestion q = question(DType::kFloat32, NormPosition::kPre, false);
  q.decoding = {.beam_size = 4, .batch_size = 512};
  const MemoryPlan plain = measure_memory(q, kRows);
  EXPECT_GT(plain.decoding, 0);
  EXPECT_GT(plain.logits, 0);
  q.decoding->sample = true;
  q.decoding->n_best = 64;
  q.decoding->alignment = PrintedAlignment::kHard;
  const MemoryPlan drawn = measure_memory(q, kRows);
  EXPECT_EQ(drawn.decoding, plain.decoding);
  EXPECT_EQ(drawn.logits, plain.logits);
  EXPECT_EQ(drawn.total(), plain.total());
}

TEST(MemoryPlanChoiceTest, RecomputeNeedsLess) {
  EXPECT_LT(measure_memory(question(DType::kFloat32, NormPosition::kPre, true), 960).activations,
            measure_memory(question(DType::kFloat32, NormPosition::kPre, false), 960).activations);
}

}  // namespace
}  // namespace weft
