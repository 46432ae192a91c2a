#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "training/run_state.h"

namespace weft {

/// RUN/valid/step-000000005000.json: the validation of that step is done, and what was best after it. A checkpoint comes before the
/// validation of its step and is never changed, so this is how a start that finds it knows the result.
class ValidationRecords {
 public:
  ValidationRecords(Storage& storage, const std::string& run_dir) : storage_(storage), folder_(run_dir + "/valid") {}

  /// `judged` says by what: text and metrics. A file that cannot be written is a warning: the next start may validate once more.
  void write(std::int64_t step, const std::string& judged, const BestMetrics&, Log&);
  /// Empty: not validated, or judged by something else, or the file is not whole.
  std::optional<BestMetrics> read(std::int64_t step, const std::string& judged);
  /// Before the step is saved anew: a record of another run that came through here must not speak for this one.
  void remove(std::int64_t step);

 private:
  std::string path(std::int64_t step) const;

  Storage& storage_;
  std::string folder_;
};

}  // namespace weft
