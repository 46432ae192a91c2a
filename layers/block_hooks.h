#pragma once
#include "layers/parameter.h"
#include "runtime/context.h"

namespace weft {

enum class Direction { kForward, kBackward };

/// How data parallelism enters the math. A model calls these around every block; `acquire` and `release` nest and are counted, a shared
/// block stays acquired for the whole pass. `ready` comes once per block and pass, after the last write to its gradients, in the same order
/// on every rank.
class BlockHooks {
 public:
  virtual ~BlockHooks() = default;
  virtual void acquire(Context&, BlockId, Direction) {}
  virtual void release(Context&, BlockId) {}
  virtual void ready(Context&, BlockId) {}
};

}  // namespace weft
