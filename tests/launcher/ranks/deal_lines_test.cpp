#include "launcher/ranks/deal_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "data/text/text_file.h"
#include "launcher/ranks/together.h"
#include "launcher/standard_streams.h"
#include "tests/state/thread_control.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// `number:first line,second line;` for each item, on two lines.
Lines numbered(std::span<const std::string> lines, std::int64_t first, std::size_t lines_per_item) {
  Lines answers;
  for (std::size_t i = 0; i < lines.size(); i += lines_per_item) {
    answers.push_back(std::to_string(first++) + ":");
    std::string text;
    for (std::size_t l = i; l < i + lines_per_item; ++l) text += lines[l] + ",";
    answers.push_back(text + ";");
  }
  return answers;
}

TEST(DealLinesTest, AnswersComeInOrderWithTheirNumbersWhateverTheRanks) {
  for (const std::size_t lines_per_item : {1, 2}) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < (5 * kLinesTogether + 3) * lines_per_item; ++i)
      all.push_back(i % 7 == 0 ? "" : "line " + std::to_string(i));
    for (const int ranks : {1, 2, 3}) {
      std::size_t taken = 0;
      std::string written;
      run_ranks(ranks, [&](Control& control) {
        deal_stream(
            control,
            {.read =
                 [&](std::size_t most) {
                   const auto from = all.begin() + static_cast<std::ptrdiff_t>(taken);
                   taken += std::min(most * lines_per_item, all.size() - taken);
                   return std::vector<std::string>(from, all.begin() + static_cast<std::ptrdiff_t>(taken));
                 },
             .write = [&](const std::string& text) { written += text; }},
            {.lines_per_item = lines_per_item, .answer = [&](auto lines, auto first) { return numbered(lines, first, lines_per_item); }});
      });
      std::string expected;
      for (const std::string& line : numbered(all, 0, lines_per_item)) expected += line + '\n';
      EXPECT_EQ(written, expected) << ranks;
    }
  }
}

TEST(DealLinesTest, AFailureOfAnyRankEndsAllOfThem) {
  std::mutex mutex;
  std::vector<std::string> messages;
  run_ranks(3, [&](Control& control) {
    try {
      deal_lines(control, Lines(30, "x"), {.answer = [&](auto, auto) -> Lines {
                   return control.rank() == 1 ? throw Error(ExitCode::kBadInput, "no") : Lines{"yes"};
                 }});
    } catch (const AgreedError& error) {
      const std::lock_guard lock(mutex);
      messages.push_back(error.what());
    }
  });
  EXPECT_THAT(messages, testing::UnorderedElementsAre("rank 1: no", "", ""));
}

class LineInputTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(ends_.data()), 0); }
  void TearDown() override { close(ends_[0]); }
  void write(const std::string& text) { ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size())); }
  void end() { close(ends_[1]); }

  std::array<int, 2> ends_{};
};

TEST_F(LineInputTest, TakesWhatIsThereAndWaitsForTheEndOfALine) {
  LineInput input(ends_[0]);
  write("a\n\nb\r\nhal");
  EXPECT_THAT(input.take(10), ElementsAre("a", "", "b"));
  write("f\n");
  EXPECT_THAT(input.take(10), ElementsAre("half"));
  write("1\n2\n3\n4\n5");
  EXPECT_THAT(input.take(2), ElementsAre("1", "2"));
  end();
  EXPECT_THAT(input.take(2), ElementsAre("3", "4"));
  EXPECT_THAT(input.take(2), ElementsAre("5"));
  EXPECT_THAT(input.take(2), IsEmpty());
}

TEST_F(LineInputTest, AnEndWithLineFeedGivesNoEmptyLine) {
  LineInput input(ends_[0]);
  write("a\nb\n");
  end();
  EXPECT_THAT(input.take(10), ElementsAre("a", "b"));
  EXPECT_THAT(input.take(10), IsEmpty());
}

TEST_F(LineInputTest, OneCarriageReturnBeforeALineFeedIsTheLineEndOfWindows) {
  LineInput input(ends_[0]);
  write(
      "\xEF\xBB\xBF"
      "a\r\n\r\nb\r\r\nc\rd\r\ne\r");
  end();
  EXPECT_THAT(input.take(10), ElementsAre("a", "", "b\r", "c\rd", "e"));
}

TEST_F(LineInputTest, KeepsTheBeginningOfALineThatIsTooLong) {
  LineInput input(ends_[0]);
  const std::string part(30000, 'x');
  std::vector<std::string> lines;
  write("first\n");
  EXPECT_THAT(input.take(1), ElementsAre("first"));
  // 45 x 30,000 bytes are more than kMaxLineBytes; a pipe holds 64 KiB, so another process writes.
  const pid_t writer = fork();
  if (writer == 0) {
    for (int i = 0; i < 45; ++i) {
      if (::write(ends_[1], part.data(), part.size()) < 0) _exit(1);
    }
    _exit(::write(ends_[1], "\nlast\n", 6) == 6 ? 0 : 1);
  }
  end();
  for (auto taken = input.take(1); !taken.empty(); taken = input.take(1)) lines.push_back(taken.front());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(lines[0].size(), static_cast<std::size_t>(kMaxLineBytes));
  EXPECT_EQ(lines[1], "last");
}

}  // namespace
}  // namespace weft::test
