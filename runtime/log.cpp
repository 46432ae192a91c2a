#include "runtime/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <utility>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace weft {
namespace {

constexpr const char* kPattern = "[%Y-%m-%d %H:%M:%S] %v";

spdlog::level::level_enum spdlog_level(LogLevel level) {
  return level == LogLevel::kInfo ? spdlog::level::info : level == LogLevel::kWarning ? spdlog::level::warn : spdlog::level::err;
}

}  // namespace

struct Log::Sinks {
  spdlog::logger logger{"weft"};
  std::string rank;  // "[rank 3 node07] " or empty
  bool terminal = false, drawn = false;
  std::mutex mutex;

  ~Sinks() { clear(); }
  void clear() {
    if (std::exchange(drawn, false)) fmt::print(stderr, "\r\x1b[K");
  }
  void draw(std::string_view text) {
    if (!terminal) return;
    const std::lock_guard lock(mutex);
    fmt::print(stderr, "\r\x1b[K{}", text);
    std::fflush(stderr);
    drawn = true;
  }
  void write(LogLevel level, std::string_view part, std::string_view words, std::string_view text) {
    const std::string line = fmt::format("{}[{}] {}{}", rank, part, words, text);
    const std::lock_guard lock(mutex);
    if (logger.should_log(spdlog_level(level))) clear();
    logger.log(spdlog_level(level), spdlog::string_view_t(line));  // as it is: nothing in it is taken for a format
  }
};

Log::Log() : Log(Options{}) {}

Log::Log(const Options& options) : sinks_(std::make_unique<Sinks>()) {
  if (!options.rank.empty()) sinks_->rank = fmt::format("[{}] ", options.rank);
  sinks_->terminal = options.terminal && options.to_stderr;
  if (options.to_stderr) sinks_->logger.sinks().push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  sinks_->logger.set_pattern(kPattern);
  sinks_->logger.set_level(spdlog_level(options.quietest));
  sinks_->logger.flush_on(spdlog::level::info);
  sinks_->logger.set_error_handler([said = std::make_shared<std::atomic<bool>>(false)](const std::string& message) {
    if (!said->exchange(true)) std::fprintf(stderr, "[log] warning: a log line could not be written: %s\n", message.c_str());
  });
}

Log::~Log() = default;
Log::Log(Log&&) noexcept = default;
Log& Log::operator=(Log&&) noexcept = default;

void Log::info(std::string_view part, std::string_view text) {
  sinks_->write(LogLevel::kInfo, part, "", text);
}

void Log::warn(std::string_view part, std::string_view text) {
  sinks_->write(LogLevel::kWarning, part, "warning: ", text);
}

void Log::warn_once(std::string_view part, std::string_view text) {
  if (sinks_->rank.empty()) warn(part, text);
}

void Log::status(std::string_view text) {
  sinks_->draw(text);
}

bool Log::shows_status() const {
  return sinks_->terminal;
}

void Log::error(std::string_view part, std::string_view text) {
  sinks_->write(LogLevel::kError, part, "error: ", text);
}

void Log::add_file(const std::string& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);  // appends
    sink->set_pattern(kPattern);
    sinks_->logger.sinks().push_back(std::move(sink));
  } catch (const spdlog::spdlog_ex& error) {
    warn("log", fmt::format("{} is not written: {}", path, error.what()));
  }
}

std::string bytes_text(std::int64_t bytes) {
  const double value = static_cast<double>(bytes);
  if (value >= 1e9) return fmt::format("{:.1f} GB", value / 1e9);
  if (value >= 1e6) return fmt::format("{:.0f} MB", value / 1e6);
  return fmt::format("{:.0f} kB", value / 1e3);
}

}  // namespace weft
