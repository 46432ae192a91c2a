#pragma once
#include <optional>
#include <string>

#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "training/run_state.h"

namespace weft {

/// RUN/best.json: best step and value per metric. A hint for people and for choosing what to decode with; checkpoints carry the same
/// numbers. A file that cannot be written is a warning and stops nothing.
void write_best_file(const std::string& run_dir, const BestMetrics&, Log&);

/// The step that is best by `metric`; empty where there is no such file or metric, or it cannot be read.
std::optional<std::int64_t> best_step(Storage&, const std::string& run_dir, const std::string& metric);

}  // namespace weft
