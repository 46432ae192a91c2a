#include "state/checkpoint/saver.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"

namespace weft {
namespace {

constexpr std::int64_t kMarginBytes = std::int64_t{64} << 20;  // for headers, the manifest, the run's logs

std::string report_text(const Inventory& inventory, const std::string& error) {
  return Json::object().set("error", error).set("inventory", inventory_json(inventory.files, inventory.tensors)).dump();
}

}  // namespace

/// One writer thread and what it tells the main thread.
struct Saver::Writer {
  void run(WriteJob job) {
    job.when_read = [this] { set(read_); };
    thread_ = std::thread([this, writing = std::move(job)] {
      try {
        inventory = write_checkpoint_files(writing);
      } catch (const std::exception& failure) {
        error = failure.what();
      }
      set(read_);  // a save that failed reads no more
      set(done_);
    });
  }
  ~Writer() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  void wait_until_read() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return read_; });
  }
  bool done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }

  Inventory inventory;  // these two once joined
  std::string error;

 private:
  void set(bool& flag) {
    const std::lock_guard lock(mutex_);
    flag = true;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool read_ = false, done_ = false;
  std::thread thread_;
};

Saver::Saver(Setup setup) : setup_(std::move(setup)), buffer_(setup_.device.allocate(kChunkBytes, MemoryKind::kPinnedHost)) {}

Saver::~Saver() = default;

void Saver::start(std::int64_t step, Json run_state) {
  finish();
  if (setup_.shards.average_in_use()) fail("a save while the average stands in place of the master weights");
  if (step == committed_step_) return;
  std::string error;
  const std::string folder = make_folder(step, error);
  if (!error.empty()) return give_up(step, folder, error);
  setup_.log.info("save", fmt::format("step {} started", step));

  Stream& copies = setup_.device.stream(StreamKind::kCopy);
  const auto updated = setup_.device.event();
  setup_.device.stream(StreamKind::kCompute).record(*updated);
  copies.wait(*updated);
  save_.emplace(InFlight{step, std::move(run_state), folder, std::chrono::steady_clock::now(), std::make_unique<Writer>()});
  const Control& control = *setup_.mesh.control;
  save_->writer->run({.storage = setup_.storage,
                      .folder = folder,
                      .rank = {control.rank(), control.size()},
                      .boxes = boxes_to_save(setup_.parameters, setup_.shards, setup_.mesh.tp->rank()),
                      .device = setup_.device,
                      .stream = copies,
                      .buffer = buffer_.tensor({kChunkBytes}, DType::kUInt8),
                      .when_read = {}});
  if (!setup_.config.async_save) finish();
}

/// Rank 0 makes the temporary folder; every rank gets its name, or why there is none.
std::string Saver::make_folder(std::int64_t step, std::string& error) {
  Json answer;
  if (is_root()) {
    const std::string folder = setup_.run_dir + "/" + temporary_folder(step, make_nonce());
    answer.set("folder", folder).set("error", "");
    try {
      const std::int64_t needed = checkpoint_bytes(setup_.parameters, setup_.shards) + kMarginBytes;
      if (const std::int64_t free = setup_.storage.free_bytes(setup_.run_dir); free < needed) {
        answer.set("error", fmt::format("{} of disk space are needed, {} are free", bytes_text(needed), bytes_text(free)));
      } else {
        setup_.storage.create_folder(folder);
      }
    } catch (const StorageError& failure) {
      answer.set("error", failure.what());
    }
  }
  answer = Json::parse(setup_.mesh.control->broadcast(answer.dump(), 0), "save");
  error = answer.at("error").as_string();
  return answer.at("folder").as_string();
}

void Saver::wait_until_read() {
  if (save_) save_->writer->wait_until_read();
}

bool Saver::writers_done() const {
  return !save_ || save_->writer->done();
}

void Saver::commit_when(bool all_writers_done) {
  if (save_ && all_writers_done) conclude();
}

void Saver::ensure_saved(std::int64_t step, Json run_state) {
  if (save_ && save_->step != step) finish();
  if (!save_) start(step, std::move(run_state));
}

void Saver::finish() {
  if (save_) conclude();
}

void Saver::conclude() {
  InFlight save = std::move(*save_);
  save_.reset();
  save.writer->join();
  const std::vector<std::string> reports = setup_.mesh.control->gather(report_text(save.writer->inventory, save.writer->error), 0);
  std::string error;
  std::int64_t bytes = 0;
  if (is_root()) error = commit(save, reports, bytes);
  if (is_root() && error.empty()) prune(save.step);  // while the others wait: a step's time would be too short for it
  error = setup_.mesh.control->broadcast(error, 0);
  if (!error.empty()) return give_up(save.step, save.folder, error);

  failed_in_row_ = 0;
  committed_step_ = save.step;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - save.started).count();
  setup_.log.info("save", fmt::format("step {} committed, {} in {:.1f} s, {}/{}", save.step, bytes_text(bytes), seconds, setup_.run_dir,
                                      step_folder(save.step)));
}

std::vector<std::int64_t> Saver::kept_best() const {
  std::vector<std::int64_t> all = best_;
  all.insert(all.end(), next_best_.begin(), next_best_.end());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void Saver::prune(std::int64_t committed) {
  std::erase(damaged_, committed);  // what was there has been replaced
  try {
    const std::vector<std::int64_t> steps = list_steps(setup_.storage, setup_.run_dir);
    const auto is_there = [&](std::int64_t step) { return std::ranges::find(steps, step) != steps.end(); };
    if (std::ranges::all_of(next_best_, is_there)) best_ = next_best_;
  } catch (const StorageError&) {  // then the former ones stay too
  }
  prune_checkpoints(setup_.storage, setup_.run_dir,
                    {.keep = setup_.config.keep_checkpoint, .committed = committed, .best = kept_best(), .damaged = damaged_}, setup_.log);
}

/// On rank 0. Empty: committed; else why not.
std::string Saver::commit(const InFlight& save, const std::vector<std::string>& reports, std::int64_t& bytes) {
  try {
    Manifest manifest{.step = save.step, .run = setup_.run, .run_state = save.run_state};
    for (std::size_t rank = 0; rank < reports.size(); ++rank) {
      const Json report = Json::parse(reports[rank], fmt::format("report of rank {}", rank));
      if (const std::string& error = report.at("error").as_string(); !error.empty()) {
        return reports.size() > 1 ? fmt::format("rank {}: {}", rank, error) : error;
      }
      merge_inventory(manifest, report.at("inventory"));
    }
    for (const std::string& name : names_to_save(setup_.parameters, setup_.shards)) {
      if (manifest.find(name) == nullptr) return fmt::format("no rank has written {}", name);
    }
    bytes = manifest.bytes();
    write_manifest(save, manifest);
    move_into_place(save);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

void Saver::write_manifest(const InFlight& save, const Manifest& manifest) {
  const std::string text = manifest_text(manifest);
  parse_manifest(text, "manifest");  // what we could not load again must not be committed
  const auto file = setup_.storage.create(save.folder + "/manifest.json");
  file->write(std::as_bytes(std::span(text)));
  file->sync();
  file->close();
  setup_.storage.sync_folder(save.folder);
}

void Saver::move_into_place(const InFlight& save) {
  const std::string target = setup_.run_dir + "/" + step_folder(save.step);
  const std::vector<std::int64_t> steps = list_steps(setup_.storage, setup_.run_dir);
  if (std::find(steps.begin(), steps.end(), save.step) != steps.end()) {
    // One that was found damaged, or that a run before this one wrote: the new one takes its place.
    setup_.storage.rename(target, setup_.run_dir + "/" + trash_folder(save.step, make_nonce()));
  }
  setup_.storage.rename(save.folder, target);
  setup_.storage.sync_folder(setup_.run_dir);
}

void Saver::give_up(std::int64_t step, const std::string& folder, const std::string& error) {
  if (step != failed_step_) ++failed_in_row_;  // a due save and one of a new best are two tries at one
  failed_step_ = step;
  if (is_root()) {
    const std::string safe = committed_step_ < 0 ? "nothing saved yet" : fmt::format("step {}", committed_step_);
    setup_.log.error("save", fmt::format("step {} is not saved: {}\n  safe      {}\n  next      save {} of {} that may fail in a row", step,
                                         error, safe, failed_in_row_, setup_.config.max_failed_saves));
    try {
      remove_tree(setup_.storage, folder);
    } catch (const StorageError& failure) {
      const bool never_made = failure.error_number() == ENOENT;
      if (!never_made) setup_.log.warn("save", fmt::format("{} cannot be removed before the next start: {}", folder, failure.what()));
    }
  }
  if (failed_in_row_ >= setup_.config.max_failed_saves) {
    throw Error(ExitCode::kStorage, fmt::format("{} saves failed in a row, the last one: {}", failed_in_row_, error));
  }
}

void Saver::resumed(std::int64_t step, std::vector<std::int64_t> damaged, std::vector<std::int64_t> kept_best) {
  committed_step_ = step;
  damaged_ = std::move(damaged);
  best_ = std::move(kept_best);
}

}  // namespace weft
