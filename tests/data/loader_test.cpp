#include "data/loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/cpu_device.h"
#include "runtime/dry_device.h"
#include "runtime/error.h"
#include "runtime/kernels/table.h"
#include "tests/data/test_dataset.h"

namespace weft::test {
namespace {

using testing::ElementsAre;

template <class T>
std::vector<T> values(const Tensor& tensor) {
  const auto span = tensor.span<T>();
  return {span.begin(), span.end()};
}

BatchPart part_of(const Dataset& data, std::initializer_list<std::int64_t> indices) {
  BatchPart part;
  for (const std::int64_t index : indices) part.push_back({.index = index, .number = 10 + index, .lengths = data.lengths(index)});
  return part;
}

void expect_equal(const Rows& a, const Rows& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.sequences, b.sequences);
  EXPECT_EQ(a.max_length, b.max_length);
  for (const auto field : {&Rows::tokens, &Rows::positions, &Rows::sample, &Rows::begin, &Rows::length, &Rows::by_token}) {
    EXPECT_EQ(values<std::int32_t>(a.*field), values<std::int32_t>(b.*field));
  }
}

class BatchBuilderTest : public testing::Test {
 protected:
  Batch build(const BatchPart& part) {
    host_ = device_.allocate(batch_bytes(extent_of(part)), MemoryKind::kPinnedHost);
    return build_batch(*data_, part, host_);
  }
  TestDataset data_{{{3, 2}, {1, 4}, {2, 1}}};
  CpuDevice device_{reference_kernels()};
  Memory host_;
};

TEST_F(BatchBuilderTest, RowsArePackedAndTheDecoderReadsTheTargetShiftedByOne) {
  const Batch batch = build(part_of(*data_, {0, 1}));
  const auto s0 = data_->tokens(0, Side::kSource), t0 = data_->tokens(0, Side::kTarget), t1 = data_->tokens(1, Side::kTarget);
  EXPECT_THAT(values<std::int32_t>(batch.source.tokens), ElementsAre(s0[0], s0[1], 2, 2));
  EXPECT_THAT(values<std::int32_t>(batch.source.positions), ElementsAre(0, 1, 2, 0));
  EXPECT_THAT(values<std::int32_t>(batch.source.sample), ElementsAre(10, 10, 10, 11));
  EXPECT_THAT(values<std::int32_t>(batch.source.begin), ElementsAre(0, 3));
  EXPECT_THAT(values<std::int32_t>(batch.source.length), ElementsAre(3, 1));
  EXPECT_EQ(batch.source.max_length, 3);
  EXPECT_THAT(values<std::int32_t>(batch.target.tokens), ElementsAre(1, t0[0], 1, t1[0], t1[1], t1[2]));
  EXPECT_THAT(values<std::int32_t>(batch.labels), ElementsAre(t0[0], 2, t1[0], t1[1], t1[2], 2));
  EXPECT_THAT(values<float>(batch.weights), ElementsAre(1, 1, 1, 1, 1, 1));
  EXPECT_EQ(batch.target.rows, 6);
  EXPECT_EQ(batch.target.max_length, 4);
}

TEST_F(BatchBuilderTest, ByTokenListsRowsByIdAndThenByRow) {
  const Batch batch = build(part_of(*data_, {0, 1, 2}));
  const auto tokens = values<std::int32_t>(batch.target.tokens), order = values<std::int32_t>(batch.target.by_token);
  std::vector<std::int32_t> rows = order;
  std::ranges::sort(rows);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], static_cast<std::int32_t>(i));
  const auto key = [&](std::int32_t row) { return std::pair(tokens[static_cast<std::size_t>(row)], row); };
  EXPECT_TRUE(std::ranges::is_sorted(order, {}, key));
}

TEST_F(BatchBuilderTest, AnEmptyPartIsOneValidPairThatDoesNotCount) {
  const Batch batch = build({});
  EXPECT_THAT(values<std::int32_t>(batch.source.tokens), ElementsAre(2));
  EXPECT_THAT(values<std::int32_t>(batch.target.tokens), ElementsAre(1));
  EXPECT_THAT(values<std::int32_t>(batch.labels), ElementsAre(2));
  EXPECT_THAT(values<float>(batch.weights), ElementsAre(0));
  EXPECT_EQ(batch.source.sequences, 1);
}

TEST_F(BatchBuilderTest, IdsOutsideTheVocabularyAreDamagedData) {
  const VocabularyInfo small{.fingerprint = 1, .size = 4, .special = {}};
  const TextFolder folder;
  DatasetWriter writer(folder.path(""), small, small);
  writer.add(std::vector<std::int32_t>{3}, std::vector<std::int32_t>{3, 4});
  writer.commit();
  const Dataset data(folder.path(""));
  const BatchPart part = part_of(data, {0});
  const Memory host = device_.allocate(batch_bytes(extent_of(part)), MemoryKind::kPinnedHost);
  EXPECT_THAT([&] { build_batch(data, part, host); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("token 4 is outside the vocabulary of 4")));
}

TEST(CapacityBatchTest, HoldsEveryBatchAndLivesOnMadeUpAddresses) {
  DryDevice device(reference_kernels());
  const BatchExtent capacity = capacity_extent(100, 40, 30);
  const Memory memory = device.allocate(batch_bytes(capacity), MemoryKind::kDevice);
  const Batch batch = view_batch(memory, capacity);
  EXPECT_EQ(batch.source.rows, 100);
  EXPECT_EQ(batch.target.sequences, 100);
  EXPECT_EQ(batch.source.max_length, 40);
  EXPECT_EQ(batch.target.max_length, 30);
  const TestDataset data(text_lengths(300, 2, 30));
  for (const BatchPart& part : parts_in_length_order(*data, 100)) EXPECT_LE(batch_bytes(extent_of(part)), batch_bytes(capacity));
}

class LoaderTest : public testing::Test {
 protected:
  TestDataset data_{text_lengths(400, 3)};
  BatchSampler sampler_{*data_, {.batch_size = 500, .bucket_size = 200}};
  CpuDevice device_{reference_kernels()};
  Stream& compute_ = device_.stream(StreamKind::kCompute);
};

TEST_F(LoaderTest, HandsOutThePassesOfEveryUpdateInOrderFromAnyPosition) {
  for (const int dp : {1, 2}) {
    const Position start = sampler_.update({}).next;
    Loader loader(device_, compute_, *data_, sampler_, {.dp_rank = dp - 1, .dp = dp, .micro_batch_rows = 150, .start = start});
    Position position = start;
    for (int step = 0; step < 60; ++step) {
      const Update expected = sampler_.update(position);
      const std::vector<BatchPart> parts = share(expected, dp - 1, dp, 150);
      const LoadedUpdate& loaded = loader.begin_update();
      ASSERT_EQ(loaded.update.next, expected.next);
      ASSERT_EQ(loaded.update.loss_tokens, expected.loss_tokens);
      ASSERT_EQ(loaded.passes, static_cast<std::int64_t>(parts.size()));
      for (const BatchPart& part : parts) {
        const Batch& batch = loader.next();
        const Memory host = device_.allocate(batch_bytes(extent_of(part)), MemoryKind::kPinnedHost);
        const Batch built = build_batch(*data_, part, host);
        expect_equal(batch.source, built.source);
        expect_equal(batch.target, built.target);
        EXPECT_EQ(values<std::int32_t>(batch.labels), values<std::int32_t>(built.labels));
        EXPECT_EQ(values<float>(batch.weights), values<float>(built.weights));
      }
      position = expected.next;
    }
  }
}

TEST_F(LoaderTest, ErrorsOfTheThreadReachTheCaller) {
  Loader loader(device_, compute_, *data_, sampler_, {.micro_batch_rows = 20});
  const auto run_an_epoch = [&] {
    for (Position position; position.epoch == 0;) {
      const LoadedUpdate& loaded = loader.begin_update();
      position = loaded.update.next;
      for (std::int64_t pass = loaded.passes; pass > 0; --pass) loader.next();
    }
  };
  EXPECT_THAT(run_an_epoch, testing::ThrowsMessage<Error>(testing::HasSubstr("training.micro_batch_size: 20 tokens")));
}

TEST_F(LoaderTest, CallsOutOfTurnAreRefusedAndItEndsWithoutBeingDrained) {
  Loader loader(device_, compute_, *data_, sampler_, {.micro_batch_rows = 150});
  EXPECT_THROW(loader.next(), Error);
  EXPECT_GT(loader.begin_update().passes, 1);
  loader.next();
  EXPECT_THROW(loader.begin_update(), Error);
}

}  // namespace
}  // namespace weft::test
