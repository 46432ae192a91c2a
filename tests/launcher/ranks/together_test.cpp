#include "launcher/ranks/together.h"

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/state/thread_control.h"

namespace weft::test {
namespace {

using testing::HasSubstr;

constexpr int kRanks = 3;

/// What each rank ends with: 0, or the code of its error, and the message of rank 0.
struct Outcome {
  std::array<int, kRanks> codes{};
  std::string message;
};

template <class Body>
Outcome outcome_of(Body&& body) {
  Outcome outcome;
  run_ranks(kRanks, [&](Control& control) {
    try {
      body(control);
    } catch (const AgreedError& error) {
      outcome.codes[static_cast<std::size_t>(control.rank())] = static_cast<int>(error.code());
      if (control.rank() == 0) outcome.message = error.what();
    }
  });
  return outcome;
}

/// Counts what rank 0 sends to the others.
class CountingControl : public Control {
 public:
  explicit CountingControl(Control& control) : control_(control) {}
  int rank() const override { return control_.rank(); }
  int size() const override { return control_.size(); }
  std::string broadcast(std::string bytes, int root) override {
    ++broadcasts;
    return control_.broadcast(std::move(bytes), root);
  }
  std::vector<std::string> gather(std::string bytes, int root) override { return control_.gather(std::move(bytes), root); }
  std::vector<std::int64_t> agree(std::vector<std::int64_t> votes) override { return control_.agree(std::move(votes)); }

  int broadcasts = 0;

 private:
  Control& control_;
};

/// How often each rank saw a message, and rank 0 was told, while rank 0 did this.
struct Seen {
  std::array<int, kRanks> broadcasts{};
  int alive = 0;
};
Seen while_working(const std::function<void()>& body) {
  Seen seen;
  run_ranks(kRanks, [&](Control& control) {
    CountingControl counting(control);
    on_root_at_length(counting, {.seconds = 0.2, .body = body, .alive = [&] {
                                   EXPECT_EQ(control.rank(), 0);
                                   seen.alive += 1;
                                 }});
    seen.broadcasts[static_cast<std::size_t>(control.rank())] = counting.broadcasts;
  });
  return seen;
}

TEST(TogetherTest, LongWorkOfRankZeroIsProgressOfAllRanks) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2000);
  const Seen working = while_working([&] {
    while (std::chrono::steady_clock::now() < until) {
    }
  });
  const Seen waiting = while_working([] { std::this_thread::sleep_for(std::chrono::milliseconds(2000)); });
  EXPECT_GT(working.alive, 3);
  EXPECT_THAT(working.broadcasts, testing::Each(waiting.broadcasts[0] - waiting.alive + working.alive));
  EXPECT_LT(waiting.alive, working.alive / 2);
}

TEST(TogetherTest, LongWorkThatFailsEndsAllRanks) {
  const Outcome outcome = outcome_of(
      [](Control& control) { on_root_at_length(control, {.seconds = 0.01, .body = [] { fail_input("no text"); }, .alive = [] {}}); });
  EXPECT_THAT(outcome.codes, testing::Each(64));
  EXPECT_EQ(outcome.message, "no text");
}

TEST(TogetherTest, TheFirstRankThatDiffersIsNamedAndTheFirstLine) {
  const auto compare = [](const std::string& last) {
    return outcome_of([&](Control& control) {
      const bool other = control.rank() > 0;
      require_same(control, {{"program", "the same"},
                             {"configuration", other ? "seed: 1\ntraining:\n  batch_size: 500\n  more: 2\n"
                                                     : "seed: 1\ntraining:\n  batch_size: 400\n" + last},
                             {"choice", other ? "a" : "b"}});
    });
  };
  const Outcome outcome = compare("  more: 1\n");
  EXPECT_THAT(outcome.codes, testing::Each(64));
  EXPECT_THAT(outcome.message, HasSubstr("rank 1 has another configuration than rank 0\n  found     batch_size: 500\n"
                                         "  expected  batch_size: 400, as rank 0"));
}

TEST(TogetherTest, TextsMayDifferInTheirLengthAlone) {
  const Outcome shorter = outcome_of([](Control& control) { require_same(control, {{"text", control.rank() == 2 ? "a\n" : "a\nb\n"}}); });
  EXPECT_THAT(shorter.message, HasSubstr("rank 2 has another text than rank 0\n  found     \n  expected  b, as rank 0"));
  const Outcome end = outcome_of([](Control& control) { require_same(control, {{"text", control.rank() == 2 ? "a" : "a\n"}}); });
  EXPECT_THAT(end.message, HasSubstr("rank 2 has another text"));
  const Outcome same = outcome_of([](Control& control) { require_same(control, {{"text", "a\n"}}); });
  EXPECT_THAT(same.codes, testing::Each(0));
}

}  // namespace
}  // namespace weft::test
