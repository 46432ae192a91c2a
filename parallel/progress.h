#pragma once
#include <atomic>
#include <cstdint>

namespace weft {

enum class Phase : int { kStart, kStep, kValidation, kSave, kLoad, kEnd };

/// Where this rank is: written by its main thread, read by its watchdog. Any change is progress; steps are synchronous, so when one rank
/// stands still the others soon do.
struct Progress {
  std::atomic<std::int64_t> step{0};        // update being computed, from 1
  std::atomic<std::int64_t> pass{0};        // of the update, from 1
  std::atomic<std::int64_t> collective{0};  // number of the last collective that was entered, over all groups
  std::atomic<Phase> phase{Phase::kStart};
  std::atomic<std::int64_t> committed{-1};  // newest step that is safe on disk; -1: none. No progress by itself
};

}  // namespace weft
