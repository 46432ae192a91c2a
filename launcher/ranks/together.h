#pragma once
#include <functional>
#include <string>
#include <vector>

#include "parallel/control.h"
#include "runtime/error.h"

namespace weft {

/// A failure that every rank has learned of: each throws it, so all can end in order. Rank 0's carries the message, the others' is empty,
/// since one message is enough.
class AgreedError : public Error {
 public:
  using Error::Error;
};

/// Runs `body` on this rank while every other rank runs its own, and makes the outcome one: where any rank fails, every rank throws an
/// AgreedError with the exit code of the lowest rank that failed. The message names the rank if it is not rank 0.
void together(Control&, const std::function<void()>& body);

/// The same for what rank 0 alone does, the others waiting.
void on_root(Control&, const std::function<void()>& body);

/// Work of rank 0 that takes long.
struct LongWork {
  double seconds;               // between two looks at it
  std::function<void()> body;   // in a thread of its own; it speaks to no other rank
  std::function<void()> alive;  // on rank 0, when the last look found that it takes processor time
};
/// on_root for work that takes long. As long as it takes processor time, every look is a collective, so that the watchdogs of the ranks
/// that wait see progress too.
void on_root_at_length(Control&, const LongWork&);

/// What every rank must have alike, and the name of it in messages.
struct Shared {
  std::string what, text;
};
/// Fails with exit 64, naming the first rank that differs from rank 0, the first text in which it does, and the first line of that.
void require_same(Control&, const std::vector<Shared>&);

}  // namespace weft
