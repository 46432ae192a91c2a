#include "data/batch_sampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "data/permutation.h"
#include "runtime/error.h"
#include "tests/data/test_dataset.h"

namespace weft::test {
namespace {

std::vector<std::int64_t> indices(const Update& update) {
  std::vector<std::int64_t> result;
  for (const Sample& sample : update.samples) result.push_back(sample.index);
  return result;
}

/// All updates of one epoch from a position on; leaves `position` at the start of the next.
std::vector<Update> rest_of_epoch(BatchSampler& sampler, Position& position) {
  std::vector<Update> updates;
  for (const std::int64_t epoch = position.epoch; position.epoch == epoch;) {
    updates.push_back(sampler.update(position));
    position = updates.back().next;
  }
  return updates;
}

struct Case {
  const char* name;
  SamplerConfig config;
};

class BatchSamplerTest : public testing::TestWithParam<Case> {
 protected:
  TestDataset data_{text_lengths(1000, 5)};
  const SamplerConfig& config() const { return GetParam().config; }
};

TEST_P(BatchSamplerTest, EveryEpochHasEachSampleOnceWithinTheBudget) {
  BatchSampler sampler(*data_, config());
  Position position;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::int64_t> seen;
    std::int64_t source_tokens = 0, loss_tokens = 0;
    for (const Update& update : rest_of_epoch(sampler, position)) {
      std::int64_t cost = 0, source = 0, target = 0;
      for (const Sample& sample : update.samples) {
        const Lengths lengths = data_->lengths(sample.index);
        EXPECT_EQ(sample.lengths.source, lengths.source);
        EXPECT_EQ(sample.number, &sample - update.samples.data());
        cost += config().batch_type == BatchType::kTokens ? lengths.longer() : 1;
        source += lengths.source;
        target += lengths.target;
        seen.push_back(sample.index);
      }
      EXPECT_EQ(update.source_tokens, source);
      EXPECT_EQ(update.loss_tokens, target);
      EXPECT_TRUE(cost <= config().batch_size || update.samples.size() == 1) << cost;
      EXPECT_EQ(update.next.samples, update.next.epoch > epoch ? 0 : static_cast<std::int64_t>(seen.size()));
      source_tokens += source;
      loss_tokens += target;
    }
    std::ranges::sort(seen);
    std::vector<std::int64_t> all(1000);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(seen, all);
    EXPECT_EQ(source_tokens, data_->token_count(Side::kSource));
    EXPECT_EQ(loss_tokens, data_->token_count(Side::kTarget));
    EXPECT_EQ(position, (Position{epoch + 1, 0, 0, 0}));
  }
}

TEST_P(BatchSamplerTest, AnyPositionGivesTheSameRestToAFreshSampler) {
  BatchSampler sampler(*data_, config());
  Position position;
  std::vector<Update> updates = rest_of_epoch(sampler, position);
  const std::vector<Update> second = rest_of_epoch(sampler, position);
  updates.insert(updates.end(), second.begin(), second.end());
  Position at;
  for (std::size_t i = 0; i < updates.size(); at = updates[i].next, ++i) {
    BatchSampler fresh(*data_, config());
    const Update again = fresh.update(at);
    ASSERT_EQ(indices(again), indices(updates[i])) << "update " << i;
    ASSERT_EQ(again.next, updates[i].next);
  }
}

TEST_P(BatchSamplerTest, AChangeOfSettingsInAnEpochLeavesEachSampleOnce) {
  for (const SamplerConfig& other :
       {SamplerConfig{.batch_size = 700, .bucket_size = config().bucket_size, .shuffle = config().shuffle},
        SamplerConfig{.batch_size = 50, .bucket_size = 77}, SamplerConfig{.seed = 9, .batch_size = 400},
        SamplerConfig{.batch_type = BatchType::kSents, .batch_size = 31, .bucket_size = 120, .shuffle = false}}) {
    for (const int done : {0, 1, 3}) {
      BatchSampler before(*data_, config());
      Position position;
      std::vector<std::int64_t> seen;
      for (int i = 0; i < done && position.epoch == 0; ++i) {
        const Update update = before.update(position);
        for (const std::int64_t index : indices(update)) seen.push_back(index);
        position = update.next;
      }
      BatchSampler sampler(*data_, other, config(), position);
      // Once more on the way: what is recorded is what the position was cut with.
      const Update first = sampler.update(position);
      for (const std::int64_t index : indices(first)) seen.push_back(index);
      position = first.next;
      BatchSampler again(*data_, other, sampler.config_at(position), position);
      if (position.epoch == 0) {
        for (const Update& update : rest_of_epoch(again, position)) {
          for (const std::int64_t index : indices(update)) seen.push_back(index);
        }
      }
      std::sort(seen.begin(), seen.end());
      std::vector<std::int64_t> all(static_cast<std::size_t>(data_->size()));
      std::iota(all.begin(), all.end(), 0);
      EXPECT_EQ(seen, all) << done << " updates before";
      EXPECT_EQ(again.config_at(position), other) << "from the next epoch on";
      EXPECT_EQ(indices(again.update(position)), indices(BatchSampler(*data_, other).update(position)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, BatchSamplerTest,
                         testing::Values(Case{"OneWindow", {.batch_size = 300}},
                                         Case{"ManyWindows", {.batch_size = 300, .bucket_size = 64}},
                                         Case{"RaggedLastWindow", {.batch_size = 128, .bucket_size = 333}},
                                         Case{"FileOrder", {.batch_size = 200, .bucket_size = 150, .shuffle = false}},
                                         Case{"Sentences", {.batch_type = BatchType::kSents, .batch_size = 17, .bucket_size = 100}},
                                         Case{"BudgetBelowMostSentences", {.batch_size = 3}},
                                         Case{"WindowsOfOne", {.batch_size = 100, .bucket_size = 1}}),
                         [](const auto& test) { return test.param.name; });

TEST(BatchSamplerOrderTest, EpochsAndSeedsDifferAndFileOrderIsKeptWithoutShuffle) {
  const TestDataset data(text_lengths(500, 6));
  const auto epoch_order = [&](const SamplerConfig& config, std::int64_t epoch) {
    BatchSampler sampler(*data, config);
    Position position{.epoch = epoch};
    std::vector<std::int64_t> order;
    for (const Update& update : rest_of_epoch(sampler, position)) {
      for (const std::int64_t index : indices(update)) order.push_back(index);
    }
    return order;
  };
  const SamplerConfig config{.batch_size = 200, .bucket_size = 100};
  EXPECT_NE(epoch_order(config, 0), epoch_order(config, 1));
  SamplerConfig other_seed = config, file_order = config;
  other_seed.seed = 2;
  file_order.shuffle = false;
  EXPECT_NE(epoch_order(config, 0), epoch_order(other_seed, 0));
  std::vector<std::int64_t> all(500);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(epoch_order(file_order, 1), all);
}

TEST(BatchSamplerOrderTest, NoWindowIsARestOfAFewSentences) {
  const TestDataset data{text_lengths(1001, 5)};
  const SamplerConfig config{.batch_type = BatchType::kSents, .batch_size = 50, .bucket_size = 100};
  const auto smallest = [&](const SamplerConfig& with) {
    BatchSampler sampler(*data, with);
    Position position;
    std::size_t fewest = 1000;
    for (const Update& update : rest_of_epoch(sampler, position)) fewest = std::min(fewest, update.samples.size());
    return fewest;
  };
  EXPECT_GE(smallest(config), 40u);  // 11 windows of 91: batches of 50 and 41
  SamplerConfig before = config;
  before.equal_windows = false;
  EXPECT_EQ(smallest(before), 1u);
  // A run that was cut in the old way ends its epoch so.
  BatchSampler old(*data, before);
  Position position;
  for (int i = 0; i < 7; ++i) position = old.update(position).next;
  Position same = position;
  BatchSampler resumed(*data, config, before, position);
  std::vector<std::vector<std::int64_t>> expected, found;
  for (const Update& update : rest_of_epoch(old, position)) expected.push_back(indices(update));
  for (const Update& update : rest_of_epoch(resumed, same)) found.push_back(indices(update));
  EXPECT_EQ(found, expected);
  EXPECT_EQ(resumed.config_at(same), config);
}

TEST(BatchSamplerOrderTest, EachEpochPutsOtherSentencesTogether) {
  const TestDataset data(text_lengths(500, 6));
  BatchSampler sampler(*data, {.batch_size = 200, .bucket_size = 100});
  const auto first_window = [&](std::int64_t epoch) {
    std::set<std::int64_t> members;
    for (Position position{.epoch = epoch}; position.epoch == epoch && position.window == 0;) {
      const Update update = sampler.update(position);
      for (const std::int64_t index : indices(update)) members.insert(index);
      position = update.next;
    }
    return members;
  };
  EXPECT_EQ(first_window(0).size(), 100u);
  EXPECT_NE(first_window(0), first_window(1));
  EXPECT_NE(first_window(1), first_window(2));
}

TEST(BatchSamplerOrderTest, SortedWindowsMakeBatchesOfSimilarLengthThatAreFull) {
  const TestDataset data(text_lengths(4000, 8));
  BatchSampler sampler(*data, {.batch_size = 500});
  Position position;
  const std::vector<Update> updates = rest_of_epoch(sampler, position);
  std::int64_t spread = 0, longer = 0;
  for (const Update& update : updates) {
    spread += update.samples.back().lengths.longer() - update.samples.front().lengths.longer();
    for (const Sample& sample : update.samples) longer += sample.lengths.longer();
  }
  EXPECT_LE(spread, 3 * 40);  // the lengths go from 1 to 40 once, and a batch at each step may straddle it
  EXPECT_GE(longer, static_cast<std::int64_t>(updates.size() - 1) * (500 - 40));
  EXPECT_FALSE(std::ranges::is_sorted(updates, {}, [](const Update& u) { return u.samples.front().lengths.longer(); }));
}

TEST(BatchSamplerOrderTest, PositionsOfAnotherDataSetAreRefused) {
  const TestDataset data(text_lengths(100, 9));
  BatchSampler sampler(*data, {.batch_size = 100, .bucket_size = 50});
  EXPECT_THROW(sampler.update({.window = 2}), Error);
  EXPECT_THROW(sampler.update({.batch = 99}), Error);
  EXPECT_THROW(sampler.update({.epoch = -1}), Error);
  EXPECT_THROW(BatchSampler(*data, {.batch_size = 0}), Error);
}

TEST(PermutationTest, IsOneToOneForEverySizeAndLooksRandom) {
  for (std::int64_t size : {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 4096, 5000}) {
    const Permutation permutation(size, random_key(1, "p"));
    std::set<std::int64_t> seen;
    std::int64_t fixed = 0;
    for (std::int64_t i = 0; i < size; ++i) {
      const std::int64_t value = permutation[i];
      EXPECT_TRUE(value >= 0 && value < size && seen.insert(value).second) << size;
      fixed += value == i;
    }
    EXPECT_LE(fixed, size >= 1000 ? 8 : size);  // one on average
  }
  EXPECT_THROW(Permutation(5, {})[5], Error);
}

TEST(PermutationTest, EveryPlaceIsReachedFromEveryOtherAboutEquallyOften) {
  constexpr std::int64_t kSize = 10, kDraws = 10000;
  std::int64_t counts[kSize][kSize] = {};
  for (std::int64_t draw = 0; draw < kDraws; ++draw) {
    const Permutation permutation(kSize, random_key(static_cast<std::uint64_t>(draw), "p"));
    for (std::int64_t i = 0; i < kSize; ++i) ++counts[i][permutation[i]];
  }
  for (const auto& row : counts) {
    for (const std::int64_t count : row) EXPECT_NEAR(static_cast<double>(count), 1000, 150);  // five deviations of 30
  }
}

}  // namespace
}  // namespace weft::test
