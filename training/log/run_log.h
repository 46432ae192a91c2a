#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/files/json.h"
#include "training/log/event_file.h"

namespace weft {

/// One thing that happened: what the screen shows, and the same as keys and numbers for run_log.jsonl.
struct LogEvent {
  std::string part;  // train, valid, save, ...
  std::string text;  // without time and part
  Json::Object fields;
};

/// What one line of training reports, over the updates since the last line.
struct TrainReport {
  std::int64_t step = 0;
  double epoch = 0;
  double loss = 0;           // nats a token (or sequence)
  double learning_rate = 0;  // of the last update
  double grad_norm = 0;      // of the last update, before clipping
  double tokens_per_second = 0;
  double step_ms = 0;
  std::optional<double> seconds_left;
};

/// `step 1000 epoch 0.31 loss 6.9412 lr 1.875e-05 grad_norm 1.37 tokens/s 41250 step_ms 555 eta 15h16m`; eta is in seconds in the
/// fields, and left out while unknown.
LogEvent train_event(const TrainReport&);
/// `step 1012  epoch 0.31  loss 6.9123  41250 tokens/s  15h16m left`, for the line that is drawn over.
std::string progress_text(const TrainReport&);
/// NaN prints as nan, never as -nan.
double without_sign_of_nan(double value);
/// 15h16m, 12m05s, 9s.
std::string duration_text(double seconds);
/// One JSON object in one line, without the line end: time and part, then the fields in order; numbers as Json writes them.
std::string json_line(const LogEvent&, std::string_view time);

/// Writes every event to the log, to run_log.jsonl, and its numbers to TensorBoard's event file. One object, on rank 0.
class RunLog {
 public:
  using Log = std::function<void(std::string_view part, const std::string& text)>;

  /// FOLDER/run_log.jsonl is appended to, and made when missing; each process makes an event file of its own.
  RunLog(const std::filesystem::path& folder, Log log);

  /// A file that cannot be written is reported once in the log, and training goes on.
  void write(const LogEvent&);

 private:
  void append(const std::string& line);
  void add_scalars(const LogEvent&, double seconds);

  std::filesystem::path file_;
  EventFile events_;
  Log log_;
  bool warned_ = false;
};

}  // namespace weft
