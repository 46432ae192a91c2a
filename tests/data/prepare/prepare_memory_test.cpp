// Memory of a preparation against the size of its corpus: each runs in a process of its own, whose peak the system reports.
#include <gtest/gtest.h>

#include <functional>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/prepare/prepare.h"
#include "data/vocabulary/train_vocabulary.h"
#include "tests/data/prepare/small_text.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

/// MiB at the peak of a child that does `work`.
double peak_of(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      work();
      _exit(0);
    } catch (...) {
      _exit(1);
    }
  }
  int status = 1;
  struct rusage usage {};
  EXPECT_EQ(wait4(child, &status, 0, &usage), child);
  EXPECT_EQ(status, 0);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Text of a seed, again and again, so that 300,000 lines cost no time to make.
std::string long_text(int lines, std::uint64_t seed) {
  const std::string block = small_text(5000, seed);
  std::string text;
  for (int i = 0; i < lines; i += 5000) text += block;
  return text;
}

class PrepareMemoryTest : public testing::Test {
 protected:
  ParallelText text(int lines) {
    const std::string name = std::to_string(lines);
    return {.src = folder_.write(name + ".en", long_text(lines, 1)), .tgt = folder_.write(name + ".de", long_text(lines, 2))};
  }
  PrepareConfig config(int lines) {
    return {.data = {.train = {text(lines)}},
            .vocab = {.src = folder_.path("vocab"), .type = VocabType::kWord},
            .folder = folder_.path(std::to_string(lines))};
  }
  TextFolder folder_;
};

TEST_F(PrepareMemoryTest, GrowsByEightBytesAPair) {
  train_vocabulary({folder_.write("some", small_text(500, 1))}, {.type = VocabType::kWord, .vocab_size = 200}, InvalidUtf8::kError,
                   folder_.path("vocab"));
  const PrepareConfig small = config(75'000), large = config(300'000);
  const double few = peak_of([&] { prepare(small); }), many = peak_of([&] { prepare(large); });
  // 225,000 pairs more are 1.7 MiB; the two lists double as they grow, which makes up to 3 times that. The text is 27 MiB larger.
  EXPECT_LT(many - few, 10) << few << " and " << many << " MiB";
}

TEST_F(PrepareMemoryTest, LongLinesAreNotHeldByTheThousand) {
  train_vocabulary({folder_.write("some", small_text(500, 1))}, {.type = VocabType::kWord, .vocab_size = 200}, InvalidUtf8::kError,
                   folder_.path("vocab"));
  PrepareConfig few = config(5'000), many = few;
  std::string line;
  while (line.size() < 100'000) line += "bako ";
  std::string lines;
  for (int i = 0; i < 1500; ++i) lines += line + "\n";  // 143 MiB
  many.data.train[0] = {.src = folder_.write("long.en", lines), .tgt = folder_.write("long.de", small_text(1500, 2))};
  many.data.too_long = TooLong::kCrop;
  // At most 32 MiB of text, and its ids: 4 bytes for each 5 of text.
  EXPECT_LT(peak_of([&] { prepare(many); }) - peak_of([&] { prepare(few); }), 100);
}

TEST_F(PrepareMemoryTest, AVocabularyIsLearnedFromASampleThatDoesNotGrow) {
  const SampleLimits limits{.lines = 20'000};
  const std::vector<TextColumn> small{text(75'000).src}, large{text(300'000).src};
  for (const VocabAlgorithm algorithm : {VocabAlgorithm::kBpe, VocabAlgorithm::kUnigram}) {
    const VocabConfig config{.algorithm = algorithm, .vocab_size = 320};
    const auto learning = [&](const std::vector<TextColumn>& texts, const SampleLimits& sample) {
      return peak_of([&] { learn_vocabulary(texts, config, sample); });
    };
    const double few = learning(small, limits), many = learning(large, limits);
    EXPECT_LT(many - few, 5) << few << " and " << many << " MiB";
    EXPECT_GT(learning(large, {}) - many, 10);  // so there is something to see
  }
}

}  // namespace
}  // namespace weft::test
