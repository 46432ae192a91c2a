#include "inference/source_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "runtime/error.h"

namespace weft::test {
namespace {

TEST(SearchLimitsTest, OnlyTheMinimumCountsWithoutTheEndToken) {
  const SearchLimits defaults = SearchLimits::from({.beam_size = 1}, 128);
  EXPECT_EQ(defaults.min_length, 1);
  EXPECT_EQ(defaults.max_length, 128);
  EXPECT_EQ(SearchLimits::from({.max_length = 20}, 128).max_length, 20);
  EXPECT_EQ(SearchLimits::from({.max_length = 500}, 128).max_length, 128);
  EXPECT_EQ(SearchLimits::from({.min_length = 5}, 128).min_length, 6);
  EXPECT_THAT([] { SearchLimits::from({.min_length = 30, .max_length = 20}, 128); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("decoding.min_length: 30 is more than the longest output, 19 tokens")));
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
  std::vector<SentenceExtent> extents;
  for (std::int64_t i = 0; i < 400; ++i) extents.push_back({.source_length = 1 + i * 37 % 61, .steps = 1 + i * 31 % 97});
  extents.push_back({.source_length = 300, .steps = 12});
  for (const int beams : {1, 5}) {
    std::multiset<std::size_t> seen;
    for (const SourceBatch& batch : cut_source_batches(extents, 200, beams)) {
      std::int64_t rows = 0, longest = 0, steps = 0;
      for (const std::size_t i : batch.sentences) {
        seen.insert(i);
        rows += extents[i].source_length;
        longest = std::max(longest, extents[i].source_length);
        steps = std::max(steps, extents[i].steps);
      }
      EXPECT_EQ(batch.rows, rows);
      EXPECT_EQ(batch.max_source_length, longest);
      EXPECT_EQ(batch.max_steps, steps);
      const auto sentences = static_cast<std::int64_t>(batch.sentences.size());
      EXPECT_TRUE(sentences == 1 || (rows <= 200 && sentences * beams * steps <= kCacheRowsPerToken * 200));
    }
    EXPECT_EQ(seen.size(), extents.size());
    EXPECT_EQ(std::set<std::size_t>(seen.begin(), seen.end()).size(), extents.size());
  }
  EXPECT_TRUE(cut_source_batches({}, 200, 5).empty());
}

}  // namespace
}  // namespace weft::test
