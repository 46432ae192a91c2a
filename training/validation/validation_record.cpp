#include "training/validation/validation_record.h"

#include <cerrno>
#include <span>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

std::string ValidationRecords::path(std::int64_t step) const {
  return fmt::format("{}/step-{:012}.json", folder_, step);
}

void ValidationRecords::write(std::int64_t step, const std::string& judged, const BestMetrics& best, Log& log) {
  Json json = Json::object();
  json.set("step", step).set("judged", judged).set("best", to_json(best));
  const std::string text = json.dump(2) + '\n';
  try {
    try {
      storage_.create_folder(folder_);
    } catch (const StorageError& error) {
      if (error.error_number() != EEXIST) throw;
    }
    remove(step);
    const auto file = storage_.create(path(step));
    file->write(std::as_bytes(std::span(text)));
    file->close();
  } catch (const StorageError& error) {
    log.warn("valid", fmt::format("{}: a start from step {} validates it again", error.what(), step));
  }
}

std::optional<BestMetrics> ValidationRecords::read(std::int64_t step, const std::string& judged) {
  constexpr std::int64_t kMostBytes = 1 << 20;
  try {
    const Json json = Json::parse(read_file(storage_, path(step), kMostBytes), path(step));
    if (json.at("step").as_int() == step && json.at("judged").as_string() == judged) return best_metrics_from(json.at("best"));
  } catch (const Error&) {  // none, or one that a crash has cut off
  }
  return std::nullopt;
}

void ValidationRecords::remove(std::int64_t step) {
  try {
    storage_.remove_file(path(step));
  } catch (const StorageError&) {  // there is none; a disk that refuses this will refuse the save too
  }
}

}  // namespace weft
