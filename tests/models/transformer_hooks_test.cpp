#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

/// Values of a block are there only while it is acquired: elsewhere they are NaN. Gradients are looked at when a block is ready, and
/// compared at the end of the pass.
class StrictHooks : public BlockHooks {
 public:
  explicit StrictHooks(ModelUnderTest& tested) : tested_(tested), acquired_(static_cast<std::size_t>(tested.set.num_blocks())) {
    for (int block = 0; block < tested.set.num_blocks(); ++block) {
      const FlatRange range = tested.set.block(block);
      const Tensor values = values_of(range);
      kept_.push_back(std::vector<double>(values.as<double>(), values.as<double>() + values.elements()));
      hide(block);
    }
  }
  void acquire(Context&, BlockId block, Direction) override {
    if (acquired_.at(static_cast<std::size_t>(block))++ > 0) return;
    const auto& values = kept_[static_cast<std::size_t>(block)];
    std::copy(values.begin(), values.end(), values_of(tested_.set.block(block)).as<double>());
  }
  void release(Context&, BlockId block) override {
    const int left = --acquired_.at(static_cast<std::size_t>(block));
    ASSERT_GE(left, 0) << "block " << block << " is released more often than acquired";
    if (left == 0) hide(block);
  }
  void ready(Context&, BlockId block) override {
    ready_.push_back(block);
    gradients_at_ready_[block] = to_doubles(gradients_of(block));
  }

  const std::vector<BlockId>& ready_order() const { return ready_; }
  void expect_all_released() const {
    for (int count : acquired_) EXPECT_EQ(count, 0);
  }
  void expect_gradients_final() const {
    for (const auto& [block, gradients] : gradients_at_ready_) EXPECT_EQ(gradients, to_doubles(gradients_of(block))) << "block " << block;
  }

 private:
  Tensor values_of(FlatRange range) const { return tested_.bound.flat_values().rows(range.begin, range.end - range.begin); }
  Tensor gradients_of(BlockId block) const {
    const FlatRange range = tested_.set.block(block);
    return tested_.bound.flat_gradients().rows(range.begin, range.end - range.begin);
  }
  void hide(BlockId block) {
    const Tensor values = values_of(tested_.set.block(block));
    std::fill_n(values.as<double>(), values.elements(), std::numeric_limits<double>::quiet_NaN());
  }

  ModelUnderTest& tested_;
  std::vector<int> acquired_;
  std::vector<std::vector<double>> kept_;
  std::vector<BlockId> ready_;
  std::map<BlockId, std::vector<double>> gradients_at_ready_;
};

class TransformerHooksTest : public testing::TestWithParam<Variant> {};

TEST_P(TransformerHooksTest, BlocksAreAcquiredBeforeUseAndReadyOnceTheirGradientsAreComplete) {
  for (const bool recompute : {false, true}) {
    ModelConfig config = small_config(GetParam());
    config.recompute_blocks = recompute;
    ModelUnderTest free(config, reference_kernels(), DType::kFloat64), strict(config, reference_kernels(), DType::kFloat64);
    const std::vector<double> expected = free.forward_backward(small_batch(free.ctx));
    StrictHooks hooks(strict);
    EXPECT_EQ(strict.forward_backward(small_batch(strict.ctx), hooks), expected);
    EXPECT_EQ(to_doubles(strict.bound.flat_gradients()), to_doubles(free.bound.flat_gradients()));
    hooks.expect_all_released();
    hooks.expect_gradients_final();
    // Backward order: the blocks as they are numbered, from the last to the first, each once.
    std::vector<BlockId> order;
    for (int block = strict.set.num_blocks(); block-- > 0;) order.push_back(block);
    EXPECT_EQ(hooks.ready_order(), order);
  }
}

TEST_P(TransformerHooksTest, LossOnlyAcquiresWhatItUsesAndIsNeverReady) {
  ModelUnderTest free(small_config(GetParam()), reference_kernels(), DType::kFloat64);
  ModelUnderTest strict(small_config(GetParam()), reference_kernels(), DType::kFloat64);
  const std::vector<double> expected = free.forward(small_batch(free.ctx));
  StrictHooks hooks(strict);
  const Tensor sums = strict.new_sums();
  strict.model->forward(strict.ctx, small_batch(strict.ctx), hooks, sums);
  EXPECT_EQ(to_doubles(sums), expected);
  hooks.expect_all_released();
  EXPECT_TRUE(hooks.ready_order().empty());
}

INSTANTIATE_TEST_SUITE_P(Variants, TransformerHooksTest, testing::ValuesIn(all_variants()),
                         [](const auto& param) { return name(param.param); });

TEST(TransformerBlocksTest, ComeInTheOrderOfTheForwardPassAndOnlyWithParameters) {
  const auto blocks_of = [](TiedEmbeddings tied, Positions positions) {
    ParameterSet set(1);
    make_transformer(small_config({NormPosition::kPre, tied, positions}), set);
    std::map<std::string, BlockId> blocks;
    for (const Parameter& parameter : set.parameters()) {
      if (parameter.saved) blocks[parameter.parts[0].name] = parameter.block;
    }
    return blocks;
  };
  auto untied = blocks_of(TiedEmbeddings::kNone, Positions::kSinusoidal);
  EXPECT_EQ(untied["encoder.embeddings.token.weight"], 0);
  EXPECT_EQ(untied["encoder.layers.1.norm1.weight"], 2);
  EXPECT_EQ(untied["encoder.norm.weight"], 2);
  EXPECT_EQ(untied["decoder.embeddings.token.weight"], 3);
  EXPECT_EQ(untied["decoder.layers.0.cross_attn.q_proj.weight"], 4);
  EXPECT_EQ(untied["decoder.norm.bias"], 5);
  EXPECT_EQ(untied["lm_head.weight"], 6);
  auto tied = blocks_of(TiedEmbeddings::kAll, Positions::kSinusoidal);
  EXPECT_EQ(tied["embeddings.token.weight"], 0);
  EXPECT_EQ(tied["decoder.layers.0.norm1.weight"], 3);
  EXPECT_FALSE(tied.contains("lm_head.weight"));
  auto learned = blocks_of(TiedEmbeddings::kAll, Positions::kLearned);
  EXPECT_EQ(learned["decoder.embeddings.position.weight"], 3);
  EXPECT_EQ(learned["decoder.layers.0.norm1.weight"], 4);
}

}  // namespace
}  // namespace weft::test
