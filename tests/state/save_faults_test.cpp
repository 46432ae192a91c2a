// Every file call of a save fails, tears or kills once: the newest or the previous checkpoint loads, and nothing is called committed that
// is not.
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"
#include "tests/state/faulty_storage.h"
#include "tests/state/memory_storage.h"
#include "tests/state/small_state.h"
#include "tests/support/temporary_folder.h"

namespace weft {
namespace {

using test::FaultyStorage;
using test::MemoryStorage;
using test::save;
using test::SmallState;
using Kind = FaultyStorage::Kind;

/// Three whole checkpoints: the next save also prunes one.
std::unique_ptr<MemoryStorage> make_run() {
  auto storage = std::make_unique<MemoryStorage>();
  storage->create_folder(SmallState::kRunDir);
  storage->sync_folder("");
  SmallState state;
  Saver saver(state.setup(*storage));
  for (const std::int64_t step : {1, 2, 3}) EXPECT_TRUE(save(state, saver, step));
  return storage;
}

std::vector<std::string> hidden_names(Storage& storage) {
  std::vector<std::string> names;
  for (const Storage::Entry& entry : storage.list(SmallState::kRunDir)) {
    if (entry.name.starts_with(".")) names.push_back(entry.name);
  }
  return names;
}

class SaveFaultsTest : public testing::Test {
 protected:
  /// Runs `check` for a save of step 4 in which call 1, 2, 3, ... meets the fault; as often as there are calls.
  void at_every_call(Kind kind, int error_number, bool async,
                     const std::function<void(MemoryStorage&, SmallState&, Saver&, std::int64_t)>& check) {
    const auto run = make_run();
    for (std::int64_t call = 1;; ++call) {
      MemoryStorage storage(*run);
      FaultyStorage faulty(storage, {kind, call, error_number});
      SmallState state;
      Saver saver(state.setup(faulty, {.async_save = async}));
      saver.resumed(3, {}, {});
      save(state, saver, 4);
      if (!faulty.happened()) {
        EXPECT_EQ(saver.committed_step(), 4);
        EXPECT_GT(call, 30);  // it did go through every kind of call
        return;
      }
      check(storage, state, saver, call);
      if (HasFatalFailure()) return;
    }
  }
  SmallState loader_;
};

TEST_F(SaveFaultsTest, AnErrorLeavesTheOldCheckpointAndTrainingGoesOn) {
  for (const Kind kind : {Kind::kFail, Kind::kFailAfter, Kind::kTear}) {
    for (const int error_number : {ENOSPC, EIO}) {
      for (const bool async : {true, false}) {
        at_every_call(kind, error_number, async, [&](MemoryStorage& storage, SmallState& state, Saver& saver, std::int64_t call) {
          const std::int64_t loaded = loader_.load(storage);
          ASSERT_TRUE(loaded == 4 || loaded == 3) << "call " << call;
          if (saver.committed_step() == 4) {
            ASSERT_EQ(loaded, 4) << "a false \"committed\", call " << call;
          }
          ASSERT_TRUE(save(state, saver, 5)) << "call " << call;  // the fault is over
          ASSERT_EQ(loader_.load(storage), 5);
          remove_leftovers(storage, SmallState::kRunDir, state.log());
          ASSERT_THAT(hidden_names(storage), testing::IsEmpty()) << "call " << call;
        });
      }
    }
  }
}

TEST_F(SaveFaultsTest, AKillLeavesTheNewestOrThePreviousOne) {
  for (const Kind kind : {Kind::kKillBefore, Kind::kKillTorn, Kind::kKillAfter}) {
    at_every_call(kind, EIO, true, [&](MemoryStorage& storage, SmallState&, Saver& saver, std::int64_t call) {
      const std::int64_t loaded = loader_.load(storage);
      ASSERT_TRUE(loaded == 4 || loaded == 3) << "call " << call;
      if (saver.committed_step() == 4) {
        ASSERT_EQ(loaded, 4) << "a false \"committed\", call " << call;
      }
      SmallState next;  // relaunched: it cleans up, goes on and saves
      remove_leftovers(storage, SmallState::kRunDir, next.log());
      ASSERT_THAT(hidden_names(storage), testing::IsEmpty()) << "call " << call;
      ASSERT_EQ(next.load(storage), loaded);
      for (std::uint64_t loss = 0; loss < 6; ++loss) {  // what it goes on from is on the disk, though the dead run had not synced its name
        ASSERT_EQ(loader_.load(*storage.after_power_loss(random_key(loss, "relaunched"))), loaded) << "call " << call;
      }
      Saver again(next.setup(storage));
      again.resumed(loaded, {}, {});
      ASSERT_TRUE(save(next, again, 5));
      ASSERT_EQ(loader_.load(storage), 5);
    });
  }
}

TEST_F(SaveFaultsTest, APowerLossAtAnyPointLosesNothingThatWasCommitted) {
  constexpr std::uint64_t kLossesPerCall = 12;
  std::int64_t losses = 0, newest = 0;
  for (const Kind kind : {Kind::kKillBefore, Kind::kKillTorn, Kind::kKillAfter}) {
    at_every_call(kind, EIO, true, [&](MemoryStorage& storage, SmallState&, Saver& saver, std::int64_t call) {
      for (std::uint64_t loss = 0; loss < kLossesPerCall; ++loss) {
        const auto left = storage.after_power_loss(random_key(loss, std::to_string(call)));
        const std::int64_t loaded = loader_.load(*left);
        ASSERT_TRUE(loaded == 4 || loaded == 3) << "call " << call << ", loss " << loss;
        if (saver.committed_step() == 4) {
          ASSERT_EQ(loaded, 4) << "a committed checkpoint is lost, call " << call << ", loss " << loss;
        }
        ++losses;
        newest += loaded == 4;
      }
    });
  }
  EXPECT_GT(losses, 1000);
  EXPECT_GT(newest, 100);
  EXPECT_LT(newest, losses);
}

TEST_F(SaveFaultsTest, TheMessageHasPathAndErrno) {
  test::TemporaryFolder folder;
  const auto run = make_run();
  FaultyStorage faulty(*run, {Kind::kFail, 6, ENOSPC});
  SmallState state;
  state.log().add_file(folder.file("log"));
  Saver saver(state.setup(faulty));
  saver.resumed(3, {}, {});
  EXPECT_FALSE(save(state, saver, 4));
  EXPECT_THAT(test::read_text(folder.file("log")),
              testing::AllOf(testing::HasSubstr("step 4 is not saved"), testing::HasSubstr("run/.tmp-step-000000000004-"),
                             testing::HasSubstr("No space left on device (28)"), testing::HasSubstr("safe      step 3"),
                             testing::HasSubstr("save 1 of 3")));
}

TEST_F(SaveFaultsTest, TooManyFailuresInARowEndTheRun) {
  const auto run = make_run();
  run->set_free_bytes(1000);
  SmallState state;
  Saver saver(state.setup(*run, {.max_failed_saves = 3}));
  EXPECT_FALSE(save(state, saver, 4));
  EXPECT_FALSE(save(state, saver, 5));
  run->set_free_bytes(std::int64_t{1} << 40);
  EXPECT_TRUE(save(state, saver, 6));  // the count starts again
  run->set_free_bytes(1000);
  EXPECT_FALSE(save(state, saver, 7));
  EXPECT_FALSE(save(state, saver, 8));
  try {
    save(state, saver, 9);
    FAIL() << "the third failure in a row went unnoticed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kStorage);
    EXPECT_THAT(error.what(), testing::HasSubstr("1 kB are free"));
  }
  EXPECT_EQ(loader_.load(*run), 6);
}

TEST_F(SaveFaultsTest, TwoTriesAtOneStepAreOneFailure) {
  const auto run = make_run();
  run->set_free_bytes(1000);
  SmallState state;
  Saver saver(state.setup(*run, {.max_failed_saves = 2}));
  EXPECT_FALSE(save(state, saver, 4));
  saver.ensure_saved(4, Json::object());  // as for a new best
  EXPECT_EQ(saver.committed_step(), -1);
  EXPECT_THROW(save(state, saver, 5), Error);
}

TEST_F(SaveFaultsTest, ReadErrorsStepBack) {
  const auto run = make_run();
  for (std::int64_t call = 2; call <= 4; ++call) {  // 1 lists the run directory; then the newest one is opened
    FaultyStorage faulty(*run, {Kind::kFail, call, EIO});
    SmallState state;
    EXPECT_EQ(state.load(faulty), 2) << call;
  }
}

}  // namespace
}  // namespace weft
