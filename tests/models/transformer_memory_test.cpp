#include <gtest/gtest.h>

#include "runtime/dry_device.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

/// The same model and batch on the dry device, with made-up addresses for everything.
class DryModel {
 public:
  DryModel(const ModelConfig& config, const Precision& precision)
      : device_(*precision.table),
        block_(device_.allocate(kEndless, MemoryKind::kDevice)),
        arena_(block_.data(), kEndless),
        set_(1),
        model_(make_transformer(config, set_)),
        ctx_{device_, device_.stream(StreamKind::kCompute), arena_, take({StepState::kFields}, DType::kFloat64), true} {
    set_.bind_values(take({set_.total_elements()}, precision.dtype));
    const Tensor gradients = take({set_.elements()}, sum_type(precision.dtype));
    set_.bind_gradients([&](FlatRange range) { return gradients.rows(range.begin, range.end - range.begin); });
  }
  std::int64_t peak_of_training(const Batch& like) {
    BlockHooks none;
    model_->forward_backward(ctx_, batch_like(like, device_, memory_), none, take({LossSums::kFields}, DType::kFloat64));
    return arena_.peak();
  }
  std::int64_t peak_of_evaluation(const Batch& like) {
    BlockHooks none;
    model_->forward(ctx_, batch_like(like, device_, memory_), none, take({LossSums::kFields}, DType::kFloat64));
    return arena_.peak();
  }
  std::int64_t peak_of_decoding(const Batch& like, int beams, std::int64_t steps, DType logits_dtype) {
    const auto state = model_->start(ctx_, batch_like(like, device_, memory_).source, beams, steps);
    const std::int64_t hypotheses = like.source.sequences * beams;
    for (std::int64_t t = 0; t < steps; ++t) {
      model_->step(ctx_, *state, take({hypotheses}, DType::kInt32), take({hypotheses, model_->vocab_size()}, logits_dtype));
      model_->reorder(ctx_, *state, take({hypotheses}, DType::kInt32));
    }
    return arena_.peak();
  }

 private:
  static constexpr std::int64_t kEndless = std::int64_t{1} << 45;
  Tensor take(Shape shape, DType dtype) {
    memory_.push_back(device_.allocate(shape.elements() * size_of(dtype), MemoryKind::kDevice));
    return memory_.back().tensor(shape, dtype);
  }

  std::vector<Memory> memory_;
  DryDevice device_;
  Memory block_;
  StepArena arena_;
  ParameterSet set_;
  std::unique_ptr<TranslationModel> model_;
  Context ctx_;
};

class TransformerMemoryTest : public testing::TestWithParam<Variant> {
 protected:
  /// Calls test(config, precision) with and without recomputation, on every table.
  template <class Test>
  void for_each_way(Test test) {
    for (const Precision& precision : all_precisions()) {
      for (const bool recompute : {false, true}) {
        ModelConfig config = small_config(GetParam());
        config.recompute_blocks = recompute;
        SCOPED_TRACE(precision.name + (recompute ? ", recomputed" : ""));
        test(config, precision);
      }
    }
  }
};

TEST_P(TransformerMemoryTest, TheDryRunHasThePeakOfTheRealOne) {
  for_each_way([](const ModelConfig& config, const Precision& precision) {
    ModelUnderTest real(config, *precision.table, precision.dtype);
    const Batch batch = small_batch(real.ctx);
    real.forward_backward(batch);
    EXPECT_EQ(DryModel(config, precision).peak_of_training(batch), real.ctx.context().memory.peak());
  });
}

TEST_P(TransformerMemoryTest, SoHasEvaluation) {
  for_each_way([](const ModelConfig& config, const Precision& precision) {
    ModelUnderTest real(config, *precision.table, precision.dtype);
    const Batch batch = small_batch(real.ctx);
    real.forward(batch);
    EXPECT_EQ(DryModel(config, precision).peak_of_evaluation(batch), real.ctx.context().memory.peak());
  });
}

TEST_P(TransformerMemoryTest, SoHasDecoding) {
  constexpr int kBeams = 2;
  constexpr std::int64_t kSteps = 3;
  for_each_way([](const ModelConfig& config, const Precision& precision) {
    ModelUnderTest real(config, *precision.table, precision.dtype);
    const Batch batch = small_batch(real.ctx);
    const std::int64_t hypotheses = batch.source.sequences * kBeams;
    const auto state = real.model->start(real.ctx, batch.source, kBeams, kSteps);
    const Tensor zeros = real.ctx.zeros({hypotheses}, DType::kInt32);
    for (std::int64_t t = 0; t < kSteps; ++t) {
      real.model->step(real.ctx, *state, zeros, real.ctx.empty({hypotheses, real.model->vocab_size()}, sum_type(precision.dtype)));
      real.model->reorder(real.ctx, *state, zeros);
    }
    EXPECT_EQ(DryModel(config, precision).peak_of_decoding(batch, kBeams, kSteps, sum_type(precision.dtype)),
              real.ctx.context().memory.peak());
  });
}

TEST_P(TransformerMemoryTest, APassGivesAllMemoryBack) {
  for_each_way([](const ModelConfig& config, const Precision& precision) {
    ModelUnderTest real(config, *precision.table, precision.dtype);
    const Batch batch = small_batch(real.ctx);
    real.forward_backward(batch);
    real.forward(batch);
    EXPECT_EQ(real.ctx.context().memory.mark().front, 0);
  });
}

INSTANTIATE_TEST_SUITE_P(Variants, TransformerMemoryTest, testing::ValuesIn(all_variants()),
                         [](const auto& param) { return name(param.param); });

}  // namespace
}  // namespace weft::test
