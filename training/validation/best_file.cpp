#include "training/validation/best_file.h"

#include <cstdio>
#include <fstream>

#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft {

void write_best_file(const std::string& run_dir, const BestMetrics& best, Log& log) {
  Json json = Json::object();
  for (const auto& [metric, value] : best) {
    if (!value.known()) continue;
    Json entry = Json::object();
    entry.set("step", value.step).set("value", value.value);
    json.set(metric, std::move(entry));
  }
  const std::string path = run_dir + "/best.json", next = run_dir + "/.tmp-best.json";
  std::ofstream file(next, std::ios::trunc);
  file << json.dump(2) << '\n';
  file.close();
  if (!file || std::rename(next.c_str(), path.c_str()) != 0) log.warn("valid", path + " could not be written");
}

std::optional<std::int64_t> best_step(Storage& storage, const std::string& run_dir, const std::string& metric) {
  constexpr std::int64_t kMostBytes = 1 << 20;
  const std::string path = run_dir + "/best.json";
  try {
    const Json json = Json::parse(read_file(storage, path, kMostBytes), path);
    const Json* entry = json.find(metric);
    if (entry != nullptr) return entry->at("step").as_int();
  } catch (const Error&) {
    return std::nullopt;  // a hint: the newest checkpoint serves as well
  }
  return std::nullopt;
}

}  // namespace weft
