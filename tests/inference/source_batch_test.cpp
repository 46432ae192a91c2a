#include "inference/source_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "runtime/error.h"

namespace weft::test {
namespace {

TEST(SearchLimitsTest, ConfigurationCountsWithoutTheEndTokenTheModelWithIt) {
  const SearchLimits defaults = SearchLimits::from({.beam_size = 1}, 128);
  EXPECT_EQ(defaults.min_length, 1);
  EXPECT_EQ(defaults.max_length, 128);
  EXPECT_EQ(SearchLimits::from({.max_length = 20}, 128).max_length, 21);
  EXPECT_EQ(SearchLimits::from({.max_length = 500}, 128).max_length, 128);
  EXPECT_EQ(SearchLimits::from({.min_length = 5}, 128).min_length, 6);
  EXPECT_THAT([] { SearchLimits::from({.min_length = 30, .max_length = 20}, 128); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("decoding.min_length: 30 is more than the longest output, 20 tokens")));
}

TEST(SearchLimitsTest, TheRatioIsOfTokensWithoutTheirEnds) {
  const SearchLimits limits = SearchLimits::from({.max_length_ratio = 3}, 128);
  EXPECT_EQ(limits.longest_output(1), 11);  // the empty sentence: 10 tokens and the end
  EXPECT_EQ(limits.longest_output(5), 3 * 4 + 11);
  EXPECT_EQ(limits.longest_output(100), 128);
  EXPECT_EQ(SearchLimits::from({.max_length_ratio = 1e300}, 128).longest_output(2), 128);
  EXPECT_EQ(SearchLimits::from({.min_length = 40, .max_length_ratio = 0}, 128).longest_output(9), 41);
}

TEST(SourceBatchTest, EverySentenceIsInOneBatchWithinBothBudgets) {
  std::vector<std::int64_t> lengths;
  for (int i = 0; i < 400; ++i) lengths.push_back(1 + i * 37 % 61);
  lengths.push_back(300);
  const SearchLimits limits{.max_length = 100};
  std::multiset<std::size_t> seen;
  for (const SourceBatch& batch : cut_source_batches(lengths, limits, 200)) {
    std::int64_t rows = 0, longest = 0, steps = 0;
    for (const std::size_t i : batch.sentences) {
      seen.insert(i);
      rows += lengths[i];
      longest = std::max(longest, lengths[i]);
      steps = std::max(steps, limits.longest_output(lengths[i]));
    }
    EXPECT_EQ(batch.rows, rows);
    EXPECT_EQ(batch.max_source_length, longest);
    EXPECT_EQ(batch.max_steps, steps);
    const auto sentences = static_cast<std::int64_t>(batch.sentences.size());
    EXPECT_TRUE(sentences == 1 || (rows <= 200 && sentences * steps <= kCacheRowsPerToken * 200));
  }
  EXPECT_EQ(seen.size(), lengths.size());
  EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), lengths.size());
  EXPECT_TRUE(cut_source_batches({}, limits, 200).empty());
}

}  // namespace
}  // namespace weft::test
