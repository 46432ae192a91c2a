#pragma once
#include <cstdio>
#include <string>

#include "training/run_log.h"

namespace weft {

/// `step 1012  epoch 0.31  loss 6.9123  41250 tokens/s  15h16m left`
std::string progress_text(const TrainReport&);

/// One line at the bottom of a terminal that is drawn over and over; nothing at all where the stream is not a terminal.
class ProgressLine {
 public:
  ProgressLine(std::FILE* stream, bool is_terminal) : stream_(stream), is_terminal_(is_terminal) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Lets a caller skip what it would compute for nothing.
  bool visible() const { return is_terminal_; }
  void show(const TrainReport&);
  /// Takes the line away; call before anything else is printed on the terminal.
  void clear();

 private:
  std::FILE* stream_;
  bool is_terminal_;
  bool drawn_ = false;
};

}  // namespace weft
