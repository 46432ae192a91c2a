#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include "parallel/progress.h"

namespace weft {

/// One look at Progress.
struct Sighting {
  std::int64_t step = 0, pass = 0, collective = 0;
  Phase phase = Phase::kStart;

  bool operator==(const Sighting&) const = default;
};
Sighting look(const Progress&);

/// Of a clock that never goes back.
double seconds_now();

/// Decides when standing still is a hang. Only time between looks counts, and a look that comes late counts as four intervals at most:
/// while the process was stopped or the machine slept, nobody could make progress.
class HangDetector {
 public:
  /// `interval_seconds`: how often look() is meant to be called.
  HangDetector(double hang_timeout_seconds, double interval_seconds);

  /// Call with seconds_now(). Returns the seconds without a change once they exceed the limit of the phase.
  std::optional<double> look(double now_seconds, const Sighting&);
  /// Seconds that may pass without a change. Steps: the larger of hang_timeout and 5 times the longest step so far. Start-up, which may
  /// prepare a corpus: 12 times hang_timeout; validation and loading: 6 times; a save: 3 times.
  double limit_seconds(Phase) const;

 private:
  void note_step(const Sighting&);

  const double hang_timeout_seconds_, interval_seconds_;
  std::optional<Sighting> last_;
  double looked_at_ = 0;
  double running_ = 0, changed_at_ = 0, step_began_at_ = 0;  // in seconds that count
  double longest_step_ = 0;
};

/// How much longer than hang_timeout a start and a save may stand still.
inline constexpr double kStartFactor = 12, kSaveFactor = 3;

/// A thread of every rank that ends the process with exit code 76 when the main thread makes no progress: mpirun sees no hang, and steps
/// are synchronous, so every rank notices alike. It shares no lock with the main thread; the message goes to stderr by write(2), and an
/// alarm ends the process should writing the record or the message hang in its turn.
class Watchdog {
 public:
  struct Options {
    double hang_timeout_seconds = 600;
    int rank = 0;
    std::string host;
    std::string run_dir;  // RUN/flight/rank-N.txt gets the flight record
    // Of FlightRecord; called from the watchdog's thread while the main thread hangs. Either may be empty.
    std::function<std::string()> last_collective;
    std::function<void(const std::string& path)> write_record;
  };

  /// `progress` outlives the watchdog.
  Watchdog(const Progress& progress, Options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  void watch();
  [[noreturn]] void end(const Sighting&, double seconds) const;
  std::string write_record() const;

  const Progress& progress_;
  const Options options_;
  const std::string folder_, record_;      // RUN/flight and the file in it
  const std::int64_t utc_offset_seconds_;  // of local time; asked for early, since the C library locks around it
  std::binary_semaphore ended_{0};
  std::thread thread_;
};

/// The message of a hang, as it goes to stderr.
struct HangReport {
  std::int64_t local_seconds;  // since 1970, in local time
  int rank;
  std::string_view host;
  Sighting at;
  double seconds;               // without progress
  std::int64_t committed_step;  // -1: none
  std::string_view waiting;     // the last collective; empty: unknown
  std::string_view record;      // its path, or why there is none; empty: not asked for
};
/// Written into `buffer` without taking memory; returns the part that is used.
std::string_view format_hang(const HangReport&, std::array<char, 2048>& buffer);

}  // namespace weft
