#pragma once
#include <memory>
#include <string>
#include <string_view>

namespace weft {

enum class LogLevel { kInfo, kWarning, kError };

/// Lines for people: `[2026-11-22 14:01:58] [part] text` on stderr, one event a line, flushed at once; what goes on inside a text of
/// several lines stays together. Thread-safe. Each rank has one; only rank 0 speaks below warning, other ranks are told apart by `[rank 3
/// host]`.
class Log {
 public:
  struct Options {
    LogLevel quietest = LogLevel::kInfo;  // lines below are dropped: kWarning on ranks other than 0
    std::string rank;                     // "rank 3 node07"; empty: not shown
    bool to_stderr = true;
  };

  Log();
  explicit Log(const Options&);
  ~Log();
  Log(Log&&) noexcept;
  Log& operator=(Log&&) noexcept;

  void info(std::string_view part, std::string_view text);
  void warn(std::string_view part, std::string_view text);   // [part] warning: text
  void error(std::string_view part, std::string_view text);  // [part] error: text
  /// From now on every line also goes to this file, appended (train.log in the run directory). A file that cannot be opened or written is
  /// reported once and never stops a run.
  void add_file(const std::string& path);

 private:
  struct Sinks;
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace weft
