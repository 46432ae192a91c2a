#include "state/checkpoint/run_directory.h"

#include <algorithm>
#include <cerrno>
#include <random>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::string_view kStep = "step-", kTemporary = ".tmp-step-", kTrash = ".trash-step-";
constexpr std::size_t kDigits = 12;
constexpr std::int64_t kLeastKept = 2;

bool contains(const std::vector<std::int64_t>& steps, std::int64_t step) {
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

std::optional<std::int64_t> parse_step(std::string_view digits) {
  if (digits.size() != kDigits || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::int64_t step = 0;
  for (const char digit : digits) step = step * 10 + (digit - '0');
  return step;
}

/// PREFIX, twelve digits, '-', a nonce: made by us, and not a folder that a user called alike.
bool is_own(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return false;
  name.remove_prefix(prefix.size());
  return name.size() > kDigits + 1 && parse_step(name.substr(0, kDigits)) && name[kDigits] == '-';
}

}  // namespace

std::string step_folder(std::int64_t step) {
  return fmt::format("{}{:012}", kStep, step);
}

std::string temporary_folder(std::int64_t step, const std::string& nonce) {
  return fmt::format("{}{:012}-{}", kTemporary, step, nonce);
}

std::string trash_folder(std::int64_t step, const std::string& nonce) {
  return fmt::format("{}{:012}-{}", kTrash, step, nonce);
}

std::optional<std::int64_t> parse_step_folder(const std::string& name) {
  if (!name.starts_with(kStep)) return std::nullopt;
  return parse_step(std::string_view(name).substr(kStep.size()));
}

std::vector<std::int64_t> list_steps(Storage& storage, const std::string& run_dir) {
  std::vector<std::int64_t> steps;
  try {
    for (const Storage::Entry& entry : storage.list(run_dir)) {
      if (!entry.is_folder) continue;
      if (const auto step = parse_step_folder(entry.name)) steps.push_back(*step);
    }
  } catch (const StorageError& error) {
    if (error.error_number() != ENOENT) throw;
  }
  std::sort(steps.begin(), steps.end(), std::greater<>());
  return steps;
}

void remove_leftovers(Storage& storage, const std::string& run_dir, Log& log) {
  try {
    for (const Storage::Entry& entry : storage.list(run_dir)) {
      if (!entry.is_folder || !(is_own(entry.name, kTemporary) || is_own(entry.name, kTrash))) continue;
      remove_tree(storage, run_dir + "/" + entry.name);
      log.info("save", fmt::format("removed {}/{}, left by a run that ended early", run_dir, entry.name));
    }
    storage.sync_folder(run_dir);
  } catch (const StorageError& error) {
    log.warn("save", fmt::format("leftovers cannot be removed: {}", error.what()));
  }
}

std::vector<std::int64_t> steps_to_prune(const std::vector<std::int64_t>& steps, const Prune& prune) {
  const std::int64_t keep = std::max(prune.keep, kLeastKept);
  std::vector<std::int64_t> unwanted;
  std::int64_t kept = 0;
  for (const std::int64_t step : steps) {
    const bool damaged = contains(prune.damaged, step) && step != prune.committed;
    if (step == prune.committed || (!damaged && kept < keep)) {
      ++kept;
    } else if (damaged ? step < prune.committed : !contains(prune.best, step)) {
      unwanted.push_back(step);
    }
  }
  return unwanted;
}

void prune_checkpoints(Storage& storage, const std::string& run_dir, const Prune& prune, Log& log) {
  try {
    for (const std::int64_t step : steps_to_prune(list_steps(storage, run_dir), prune)) {
      const std::string trash = run_dir + "/" + trash_folder(step, make_nonce());
      storage.rename(run_dir + "/" + step_folder(step), trash);
      remove_tree(storage, trash);
    }
  } catch (const StorageError& error) {
    log.warn("save", fmt::format("an old checkpoint cannot be removed: {}", error.what()));
  }
}

std::string make_nonce() {
  std::random_device device;
  return fmt::format("{:08x}", device() & 0xffffffffu);
}

}  // namespace weft
