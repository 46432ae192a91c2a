#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weft {

/// For people: 1.9 GB, 61 MB, 12 kB. Thousands, as disks and networks count.
std::string bytes_text(std::int64_t bytes);

enum class LogLevel { kInfo, kWarning, kError };

/// Lines for people: `[2026-11-22 14:01:58] [part] text` on stderr, one event a line, flushed at once; what goes on inside a text of
/// several lines stays together. Thread-safe. Each rank has one; only rank 0 speaks below warning, other ranks are told apart by `[rank 3
/// host]`. On a terminal a status line may stand below the last line; a line that is written takes it away first.
class Log {
 public:
  struct Options {
    LogLevel quietest = LogLevel::kInfo;  // lines below are dropped: kWarning on ranks other than 0
    std::string rank;                     // "rank 3 node07"; empty: not shown
    bool to_stderr = true;
    bool terminal = false;  // stderr ends at one: there is a status line
  };

  Log();
  explicit Log(const Options&);
  ~Log();
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;

  void info(std::string_view part, std::string_view text);
  void warn(std::string_view part, std::string_view text);  // [part] warning: text
  /// A warning of something that all ranks see alike: the one without a rank name says it for the job.
  void warn_once(std::string_view part, std::string_view text);
  void error(std::string_view part, std::string_view text);  // [part] error: text
  /// From now on every line also goes to this file, appended (train.log in the run directory). A file that cannot be opened or written is
  /// reported once and never stops a run.
  void add_file(const std::string& path);

  /// Draws the status line anew; nothing where there is no terminal, which shows_status lets a caller ask before it makes the text.
  void status(std::string_view text);
  bool shows_status() const;

 private:
  struct Sinks;
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace weft
