#include "data/batch_share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "runtime/error.h"
#include "tests/data/test_dataset.h"

namespace weft::test {
namespace {

Update update_of(const std::vector<Lengths>& lengths) {
  Update update;
  for (const Lengths& l : lengths) {
    const auto number = static_cast<std::int64_t>(update.samples.size());
    update.samples.push_back({.index = 1000 + number, .number = number, .lengths = l});
    update.source_tokens += l.source;
    update.loss_tokens += l.target;
  }
  return update;
}

struct Rows2 {
  std::int64_t source = 0, target = 0;
};
Rows2 rows_of(const BatchPart& part) {
  Rows2 rows;
  for (const Sample& sample : part) {
    rows.source += sample.lengths.source;
    rows.target += sample.lengths.target;
  }
  return rows;
}

void check_shares(const Update& update, int dp, std::int64_t micro_batch_rows) {
  std::multiset<std::int64_t> seen;
  std::size_t passes = 0;
  for (int rank = 0; rank < dp; ++rank) {
    const std::vector<BatchPart> parts = share(update, rank, dp, micro_batch_rows);
    if (rank == 0) passes = parts.size();
    ASSERT_EQ(parts.size(), passes) << "every rank has equally many passes";
    for (const BatchPart& part : parts) {
      ASSERT_LE(rows_of(part).source, micro_batch_rows);
      ASSERT_LE(rows_of(part).target, micro_batch_rows);
      ASSERT_TRUE(std::ranges::is_sorted(part, {}, &Sample::number));
      for (const Sample& sample : part) {
        seen.insert(sample.number);
        ASSERT_EQ(sample.index, update.samples[static_cast<std::size_t>(sample.number)].index);
      }
    }
  }
  ASSERT_EQ(seen.size(), update.samples.size());
  for (std::size_t number = 0; number < update.samples.size(); ++number) ASSERT_EQ(seen.count(static_cast<std::int64_t>(number)), 1u);
}

RC_GTEST_PROP(ShareTest, EverySampleGoesToExactlyOnePartThatFits, ()) {
  const auto sizes = *rc::gen::container<std::vector<std::pair<int, int>>>(rc::gen::pair(rc::gen::inRange(1, 41), rc::gen::inRange(1, 41)));
  RC_PRE(!sizes.empty());
  const std::int64_t rows = *rc::gen::inRange(40, 300);
  std::vector<Lengths> lengths;
  for (const auto& [source, target] : sizes) lengths.push_back({source, target});
  for (const int dp : {1, 2, 3, 4, 8}) check_shares(update_of(lengths), dp, rows);
  RC_ASSERT(!testing::Test::HasFatalFailure());
}

TEST(ShareTest, UpdatesOfASamplerAreBalancedInTheFewestPasses) {
  const TestDataset data(text_lengths(3000, 4));
  BatchSampler sampler(*data, {.batch_size = 4000});
  Position position;
  for (int i = 0; i < 8; ++i) {
    const Update update = sampler.update(position);
    position = update.next;
    for (const int dp : {1, 2, 3, 4, 8}) {
      check_shares(update, dp, 1100);
      const std::vector<BatchPart> mine = share(update, 0, dp, 1100);
      const std::int64_t least = (std::max(update.source_tokens, update.loss_tokens) + dp * 1100 - 1) / (dp * 1100);
      EXPECT_LE(static_cast<std::int64_t>(mine.size()), least + 1);
      std::int64_t smallest = INT64_MAX, largest = 0;
      for (int rank = 0; rank < dp; ++rank) {
        for (const BatchPart& part : share(update, rank, dp, 1100)) {
          const Rows2 rows = rows_of(part);
          smallest = std::min(smallest, rows.source + rows.target);
          largest = std::max(largest, rows.source + rows.target);
        }
      }
      EXPECT_LE(largest - smallest, update.samples.size() > 100 ? 80 : 1100) << "dp " << dp;
    }
  }
}

TEST(ShareTest, FewerSamplesThanRanksLeaveEmptyParts) {
  const Update update = update_of({{5, 6}, {7, 3}});
  check_shares(update, 4, 100);
  int empty = 0;
  for (int rank = 0; rank < 4; ++rank) empty += share(update, rank, 4, 100)[0].empty();
  EXPECT_EQ(empty, 2);
}

TEST(ShareTest, ASentenceBeyondTheMicroBatchIsNamed) {
  const Update update = update_of({{5, 6}, {7, 30}});
  EXPECT_THAT([&] { share(update, 0, 1, 20); },
              testing::ThrowsMessage<Error>(
                  testing::HasSubstr("training.micro_batch_size: 20 tokens; sentence pair 1001 of the prepared data has 7 source and 30")));
}

TEST(ValidationPartsTest, CoverTheDataSetOnceInLengthOrder) {
  const TestDataset data(text_lengths(500, 11));
  std::set<std::int64_t> seen;
  std::int32_t last = 0;
  for (const BatchPart& part : parts_in_length_order(*data, 200)) {
    EXPECT_FALSE(part.empty());
    EXPECT_LE(std::max(rows_of(part).source, rows_of(part).target), 200);
    for (const Sample& sample : part) {
      EXPECT_TRUE(seen.insert(sample.index).second);
      EXPECT_GE(sample.lengths.longer(), last);
      last = sample.lengths.longer();
    }
  }
  EXPECT_EQ(seen.size(), 500u);
}

}  // namespace
}  // namespace weft::test
