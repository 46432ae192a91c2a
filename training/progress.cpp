#include "training/progress.h"

#include <fmt/format.h>

namespace weft {

std::string progress_text(const TrainReport& r) {
  std::string text = fmt::format("step {}  epoch {:.2f}  loss {:.4f}  {:.0f} tokens/s", r.step, r.epoch, r.loss, r.tokens_per_second);
  if (r.seconds_left) text += "  " + duration_text(*r.seconds_left) + " left";
  return text;
}

void ProgressLine::show(const TrainReport& report) {
  if (!is_terminal_) return;
  fmt::print(stream_, "\r\x1b[K{}", progress_text(report));
  std::fflush(stream_);
  drawn_ = true;
}

void ProgressLine::clear() {
  if (!drawn_) return;
  fmt::print(stream_, "\r\x1b[K");
  std::fflush(stream_);
  drawn_ = false;
}

}  // namespace weft
