// Saving and loading by two ranks that hold halves of the tensors.
#include <atomic>
#include <cerrno>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"
#include "tests/state/faulty_storage.h"
#include "tests/state/memory_storage.h"
#include "tests/state/small_state.h"
#include "tests/state/thread_control.h"

namespace weft {
namespace {

using test::FaultyStorage;
using test::MemoryStorage;
using test::run_ranks;
using test::SmallState;

SmallState::Options rank_of(Control& control) {
  return {.tp_rank = control.rank(), .tp_size = control.size(), .control = &control};
}

/// Saves as the loop does: the ranks vote, then commit.
bool save_together(SmallState& state, Saver& saver, std::int64_t step) {
  state.set(step);
  saver.start(step, SmallState::run_state(step));
  while (true) {
    const bool all_done = state.control().agree({saver.writers_done() ? 0 : 1})[0] == 0;
    saver.commit_when(all_done);
    if (all_done) return saver.committed_step() == step;
  }
}

void save_by_two(MemoryStorage& storage, std::int64_t step) {
  run_ranks(2, [&](Control& control) {
    SmallState state(rank_of(control));
    Saver saver(state.setup(storage));
    EXPECT_TRUE(save_together(state, saver, step));
  });
}

class RanksTest : public testing::Test {
 protected:
  void SetUp() override { storage_.create_folder(SmallState::kRunDir); }
  MemoryStorage storage_;
};

TEST_F(RanksTest, AnyNumberOfRanksLoadsWhatAnyNumberWrote) {
  save_by_two(storage_, 1);
  SmallState one;
  EXPECT_EQ(one.load(storage_), 1);

  Saver saver(one.setup(storage_));
  saver.resumed(1, {}, {});
  EXPECT_TRUE(test::save(one, saver, 2));
  for (const int ranks : {2, 3}) {
    run_ranks(ranks, [&](Control& control) {
      SmallState state(rank_of(control));
      EXPECT_EQ(state.load(storage_), 2);
    });
  }
}

TEST_F(RanksTest, WhatBothRanksHoldIsWrittenOnce) {
  save_by_two(storage_, 1);
  const CheckpointReader reader(storage_, "run/" + step_folder(1));
  EXPECT_EQ(reader.manifest().find("encoder.layers.0.norm1.weight")->boxes.size(), 1u);
  EXPECT_EQ(reader.manifest().find("encoder.layers.0.self_attn.q_proj.weight")->boxes.size(), 2u);
  EXPECT_EQ(reader.manifest().files.size(), 4u);
}

// An error on any rank: nothing is committed, on all ranks.
TEST_F(RanksTest, AnErrorOnOneRankIsAnErrorOnAll) {
  save_by_two(storage_, 1);
  for (int bad_rank = 0; bad_rank < 2; ++bad_rank) {
    for (const std::int64_t call : {1, 2, 5, 20}) {
      MemoryStorage storage(storage_);
      run_ranks(2, [&](Control& control) {
        FaultyStorage faulty(storage, {FaultyStorage::Kind::kFail, control.rank() == bad_rank ? call : 0, ENOSPC});
        SmallState state(rank_of(control));
        Saver saver(state.setup(faulty));
        saver.resumed(1, {}, {});
        EXPECT_FALSE(save_together(state, saver, 2)) << "rank " << bad_rank << ", call " << call;
        EXPECT_EQ(saver.committed_step(), 1);
        EXPECT_EQ(list_steps(storage, "run"), std::vector<std::int64_t>{1});
        control.agree({0});  // before the next save begins
        EXPECT_TRUE(save_together(state, saver, 3));
        EXPECT_EQ(state.load(storage), 3);
      });
    }
  }
}

TEST_F(RanksTest, TooManyFailuresEndEveryRank) {
  storage_.set_free_bytes(0);
  std::atomic<int> ended = 0;
  run_ranks(2, [&](Control& control) {
    SmallState state(rank_of(control));
    Saver saver(state.setup(storage_, {.max_failed_saves = 2}));
    EXPECT_FALSE(save_together(state, saver, 1));
    try {
      saver.start(2, SmallState::run_state(2));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kStorage);
      ++ended;
    }
  });
  EXPECT_EQ(ended, 2);
}

TEST_F(RanksTest, DamageThatOneRankSeesIsSteppedOverByAll) {
  save_by_two(storage_, 1);
  save_by_two(storage_, 2);
  for (const std::string name : {"weights-00000-of-00002", "weights-00001-of-00002", "optimizer-00001-of-00002"}) {
    MemoryStorage storage(storage_);
    storage.bytes("run/" + step_folder(2) + "/" + name + ".safetensors").back() ^= 1;
    run_ranks(2, [&](Control& control) {
      SmallState state(rank_of(control));
      EXPECT_EQ(state.load(storage), 1) << name;
    });
  }
}

/// A checkpoint whose boxes do not make up the tensors, or whose shards are of two steps, is named and stepped over.
TEST_F(RanksTest, BoxesThatDoNotMakeUpATensorAreRefused) {
  save_by_two(storage_, 1);
  const CheckpointReader reader(storage_, "run/" + step_folder(1));
  const auto message_of = [&](const std::function<void(StoredTensor&)>& change) {
    Manifest manifest = reader.manifest();
    for (StoredTensor& tensor : manifest.tensors) {
      if (tensor.name == "encoder.layers.0.self_attn.q_proj.weight") change(tensor);  // (6, 6), three rows on each rank
    }
    try {
      check_manifest(manifest);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadInput);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message_of([](StoredTensor&) {}), "accepted");
  EXPECT_EQ(message_of([](StoredTensor& tensor) { tensor.boxes[1].box.begin[0] = 2; }),
            "tensor encoder.layers.0.self_attn.q_proj.weight: boxes [0, 3) x [0, 6) and [2, 5) x [0, 6) overlap");
  EXPECT_EQ(message_of([](StoredTensor& tensor) { tensor.boxes.pop_back(); }),
            "tensor encoder.layers.0.self_attn.q_proj.weight: its boxes hold 18 elements, expected 36");
}

TEST_F(RanksTest, ShardsOfTwoStepsAreSteppedOver) {
  save_by_two(storage_, 1);
  save_by_two(storage_, 2);
  for (const std::string name : {"weights-00001-of-00002.safetensors", "optimizer-00000-of-00002.safetensors"}) {
    MemoryStorage storage(storage_);
    storage.bytes("run/" + step_folder(2) + "/" + name) = storage.bytes("run/" + step_folder(1) + "/" + name);
    run_ranks(2, [&](Control& control) {
      SmallState state(rank_of(control));
      EXPECT_EQ(state.load(storage), 1) << name;
    });
  }
}

TEST_F(RanksTest, ADirectoryThatCannotBeReadEndsEveryRank) {
  std::atomic<int> ended = 0;
  run_ranks(2, [&](Control& control) {
    FaultyStorage faulty(storage_, {FaultyStorage::Kind::kFail, 1, EACCES});
    SmallState state(rank_of(control));
    try {
      state.load(faulty);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kStorage);
      ++ended;
    }
  });
  EXPECT_EQ(ended, 2);
}

}  // namespace
}  // namespace weft
