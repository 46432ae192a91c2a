#include "training/log/run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace weft {
double without_sign_of_nan(double value) {
  return std::isnan(value) ? std::abs(value) : value;
}

std::string progress_text(const TrainReport& r) {
  std::string text =
      fmt::format("step {}  epoch {:.2f}  loss {:.4f}  {:.0f} tokens/s", r.step, r.epoch, without_sign_of_nan(r.loss), r.tokens_per_second);
  if (r.seconds_left) text += "  " + duration_text(*r.seconds_left) + " left";
  return text;
}

std::string duration_text(double seconds) {
  if (!(seconds < 3.6e9)) return "unknown";
  const auto all = static_cast<std::int64_t>(std::llround(std::max(seconds, 0.0)));
  if (all >= 3600) return fmt::format("{}h{:02}m", all / 3600, all % 3600 / 60);
  if (all >= 60) return fmt::format("{}m{:02}s", all / 60, all % 60);
  return fmt::format("{}s", all);
}

LogEvent train_event(const TrainReport& r) {
  LogEvent event{
      .part = "train",
      .text = fmt::format("step {} epoch {:.2f} loss {:.4f} lr {:.4g} grad_norm {:.3g} tokens/s {:.0f} step_ms {:.0f}", r.step, r.epoch,
                          without_sign_of_nan(r.loss), r.learning_rate, without_sign_of_nan(r.grad_norm), r.tokens_per_second, r.step_ms),
      .fields = {{"step", r.step},
                 {"epoch", r.epoch},
                 {"loss", r.loss},
                 {"lr", r.learning_rate},
                 {"grad_norm", r.grad_norm},
                 {"tokens/s", r.tokens_per_second},
                 {"step_ms", r.step_ms}}};
  if (r.seconds_left) {
    event.text += " eta " + duration_text(*r.seconds_left);
    event.fields.push_back({"eta", *r.seconds_left});
  }
  return event;
}

std::string json_line(const LogEvent& event, std::string_view time) {
  Json::Object line{{"time", time}, {"part", event.part}};
  line.insert(line.end(), event.fields.begin(), event.fields.end());
  return Json(std::move(line)).dump();
}

RunLog::RunLog(const std::filesystem::path& folder, Log log) : file_(folder / "run_log.jsonl"), events_(folder), log_(std::move(log)) {}

void RunLog::write(const LogEvent& event) {
  log_(event.part, event.text);
  const auto now = std::chrono::system_clock::now();
  append(json_line(event, fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(std::chrono::system_clock::to_time_t(now)))) + '\n');
  add_scalars(event, std::chrono::duration<double>(now.time_since_epoch()).count());
}

/// train/loss, valid/bleu: every number of an event but its step.
void RunLog::add_scalars(const LogEvent& event, double seconds) {
  std::int64_t step = 0;
  std::vector<Scalar> scalars;
  for (const auto& [key, value] : event.fields) {
    if (key == "step") step = value.as_int();
    if (value.is_double()) scalars.emplace_back(event.part + "/" + key, value.as_double());
  }
  if (scalars.empty() || events_.add(seconds, step, scalars)) return;
  log_("log", fmt::format("{} cannot be written; training goes on without it", events_.path().string()));
}

void RunLog::append(const std::string& line) {
  // Opened for each line: a file moved away or a disk that fills and empties again is met as it is at that moment.
  const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  const bool written = descriptor >= 0 && ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (written || warned_) return;
  warned_ = true;
  log_("log", fmt::format("{} cannot be written ({}); training goes on without it", file_.string(), std::strerror(error)));
}

}  // namespace weft
