#include "launcher/ranks/watchdog.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>

#include <fmt/format.h>

#include "runtime/exit_code.h"

namespace weft {
namespace {

constexpr double kStepFactor = 5;  // of the longest step
constexpr unsigned kLastWordsSeconds = 3;
constexpr double kOthersSeconds = 1;  // in which every other rank writes its record

double interval_seconds(double hang_timeout_seconds) {
  return std::clamp(hang_timeout_seconds / 20, 0.01, 1.0);
}

std::int64_t utc_offset_seconds() {
  const std::time_t now = std::time(nullptr);
  std::tm local = {};
  localtime_r(&now, &local);
  return local.tm_gmtoff;
}

/// In the order of Phase.
struct PhaseRule {
  std::string_view name;
  double factor;  // of hang_timeout, without a change
};
constexpr std::array<PhaseRule, 6> kPhases{
    {{"start-up", kStartFactor}, {"training", 1}, {"validation", 6}, {"save", kSaveFactor}, {"load", 6}, {"end of the run", 1}}};

const PhaseRule& rule_of(Phase phase) {
  return kPhases[static_cast<std::size_t>(phase)];
}

void sleep_seconds(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

// What the handler of the alarm can reach: written before the alarm is set.
std::array<char, 256> last_words;
std::size_t last_words_length = 0;

void on_alarm(int) {
  write_all({last_words.data(), last_words_length});
  _exit(static_cast<int>(ExitCode::kHang));
}

/// Whatever hangs from here on, a disk or a full pipe, the process ends with the right code.
void end_at_the_latest_in(unsigned seconds) {
  struct sigaction action = {};
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
  sigset_t alarm_only;
  sigemptyset(&alarm_only);
  sigaddset(&alarm_only, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm_only, nullptr);
  alarm(seconds);
}

}  // namespace

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Sighting look(const Progress& progress) {
  return {.step = progress.step, .pass = progress.pass, .collective = progress.collective, .phase = progress.phase};
}

HangDetector::HangDetector(double hang_timeout_seconds, double interval)
    : hang_timeout_seconds_(hang_timeout_seconds), interval_seconds_(interval) {}

double HangDetector::limit_seconds(Phase phase) const {
  const double limit = rule_of(phase).factor * hang_timeout_seconds_;
  return phase == Phase::kStep ? std::max(limit, kStepFactor * longest_step_) : limit;
}

std::optional<double> HangDetector::look(double now_seconds, const Sighting& seen) {
  if (!last_) {
    last_ = seen;
    looked_at_ = now_seconds;
    return std::nullopt;
  }
  running_ += std::min(now_seconds - looked_at_, 4 * interval_seconds_);
  looked_at_ = now_seconds;
  if (seen != *last_) {
    note_step(seen);
    last_ = seen;
    changed_at_ = running_;
    return std::nullopt;
  }
  const double still = running_ - changed_at_;
  if (still <= limit_seconds(seen.phase)) return std::nullopt;
  return still;
}

void HangDetector::note_step(const Sighting& seen) {
  if (seen.step == last_->step && seen.phase == last_->phase) return;
  // A step counts when it was seen from its first to its last moment in training alone.
  if (seen.phase == Phase::kStep && last_->phase == Phase::kStep && seen.step == last_->step + 1 && step_began_at_ > 0) {
    longest_step_ = std::max(longest_step_, running_ - step_began_at_);
  }
  step_began_at_ = seen.phase == Phase::kStep ? running_ : 0;
}

Watchdog::Watchdog(const Progress& progress, Options options)
    : progress_(progress),
      options_(std::move(options)),
      folder_(options_.run_dir + "/flight"),
      record_(fmt::format("{}/rank-{}.txt", folder_, options_.rank)),
      utc_offset_seconds_(utc_offset_seconds()),
      thread_([this] { watch(); }) {}

Watchdog::~Watchdog() {
  ended_.release();
  thread_.join();
}

void Watchdog::watch() {
  sigset_t all;  // signals are for the main thread
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  const double interval = interval_seconds(options_.hang_timeout_seconds);
  HangDetector detector(options_.hang_timeout_seconds, interval);
  while (!ended_.try_acquire_for(std::chrono::duration<double>(interval))) {
    const Sighting seen = look(progress_);
    if (const auto still = detector.look(seconds_now(), seen)) end(seen, *still);
  }
}

/// All ranks notice within one interval. The end of the first makes mpirun kill the others, so each writes its record at once and then
/// waits until the others have had the time, on a crowded host too; lower ranks go first, and usually theirs is the only message.
void Watchdog::end(const Sighting& seen, double seconds) const {
  const double wait = std::max(kOthersSeconds, 2 * interval_seconds(options_.hang_timeout_seconds)) + 0.05 * std::min(options_.rank, 20);
  const auto words =
      fmt::format_to_n(last_words.data(), last_words.size(),
                       "[rank {} {}] fatal: no progress at step {}, exit {}; its flight record could not be written either\n",
                       options_.rank, options_.host, seen.step, static_cast<int>(ExitCode::kHang));
  last_words_length = static_cast<std::size_t>(words.out - last_words.data());
  end_at_the_latest_in(kLastWordsSeconds + static_cast<unsigned>(std::ceil(wait)));
  const std::string record = write_record();
  const std::string waiting = options_.last_collective ? options_.last_collective() : "";
  sleep_seconds(wait);
  std::array<char, 2048> buffer;
  write_all(format_hang({.local_seconds = std::time(nullptr) + utc_offset_seconds_,
                         .rank = options_.rank,
                         .host = options_.host,
                         .at = seen,
                         .seconds = seconds,
                         .committed_step = progress_.committed,
                         .waiting = waiting,
                         .record = record},
                        buffer));
  _exit(static_cast<int>(ExitCode::kHang));
}

/// Returns the path of the record, or why there is none.
std::string Watchdog::write_record() const {
  if (!options_.write_record) return "";
  ::mkdir(folder_.c_str(), 0700);
  try {
    options_.write_record(record_);
    std::ofstream(record_, std::ios::app) << "# host " << options_.host << '\n';
    return record_;
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string_view format_hang(const HangReport& report, std::array<char, 2048>& buffer) {
  using namespace std::chrono;
  const sys_seconds now{std::chrono::seconds(report.local_seconds)};
  const sys_days today = floor<days>(now);
  const year_month_day date(today);
  const hh_mm_ss time(now - today);
  char* at = buffer.data();
  const auto add = [&]<class... Values>(fmt::format_string<Values...> form, Values&&... values) {
    at = fmt::format_to_n(at, buffer.data() + buffer.size() - at, form, std::forward<Values>(values)...).out;
  };
  add("[{:04}-{:02}-{:02} {:02}:{:02}:{:02}] [rank {} {}] ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), time.hours().count(), time.minutes().count(), time.seconds().count(), report.rank, report.host);
  add("fatal: no progress for {:.0f} s at step {}, pass {}, exit {}\n", report.seconds, report.at.step, report.at.pass,
      static_cast<int>(ExitCode::kHang));
  add("  phase     {}\n", rule_of(report.at.phase).name);
  if (!report.waiting.empty()) add("  last      {}\n", report.waiting);
  if (!report.record.empty()) add("  record    {}\n", report.record);
  if (report.committed_step >= 0) {
    add("  safe      step {} is committed\n", report.committed_step);
  } else {
    add("  safe      no step is committed yet\n");
  }
  add("  next      the same command goes on from there; weft launch does so by itself\n");
  return {buffer.data(), static_cast<std::size_t>(at - buffer.data())};
}

}  // namespace weft
