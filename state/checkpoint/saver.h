#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "parallel/mesh.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "state/checkpoint/checkpoint_config.h"
#include "state/checkpoint/checkpoint_writer.h"
#include "state/optimizer_shards.h"

namespace weft {

/// Saves a run's state as checkpoints: directories that appear whole, by one rename, or not at all.
///
/// Each rank's writer thread reads the live state and writes its files into RUN/.tmp-step-N-NONCE/. Threads never communicate: once the
/// ranks have agreed, on the main thread between two steps, that all writers are done, rank 0 gathers what they wrote, writes
/// manifest.json, syncs file and folder, renames to RUN/step-N/, syncs RUN. Only then is it committed, and only then are old ones pruned.
/// Any error on any rank: nothing is committed, the temporary folder goes, the log says why, training goes on; max_failed_saves in a row
/// end the run with exit 79.
///
/// All members are called on the main thread, by every rank in the same order. The caller holds the RunLock.
class Saver {
 public:
  struct Setup {
    Storage& storage;
    const Mesh& mesh;
    Device& device;
    Log& log;
    const ParameterSet& parameters;
    const OptimizerShards& shards;
    CheckpointConfig config;
    std::string run_dir;
    RunIdentity run;
  };
  explicit Saver(Setup);
  ~Saver();  // waits for the writer; what is not committed stays behind as a leftover

  /// Begins to save the state as it is now, update `step` done. Returns at once, or, with async_save false, when it is committed. Waits for
  /// a save in flight first. A step that is committed already is not saved again.
  void start(std::int64_t step, Json run_state);
  /// Until the state has been read by a save in flight. Before anything changes it: an update, an exchange of the average.
  void wait_until_read();
  /// The same on every rank.
  bool in_flight() const { return save_.has_value(); }
  /// This rank's vote: nothing in flight, or its writer is done.
  bool writers_done() const;
  /// Commits a save in flight when all ranks' writers are done.
  void commit_when(bool all_writers_done);
  /// Like start, unless that very step is in flight or committed: the best model must not be lost.
  void ensure_saved(std::int64_t step, Json run_state);
  /// Waits for a save in flight and commits it.
  void finish();

  /// Newest committed step of this run, or the one it resumed from; -1: none.
  std::int64_t committed_step() const { return committed_step_; }
  /// Told once after a resume: the step that was loaded, those that were found damaged, which do not count when pruning, and what kept_best
  /// was at that step.
  void resumed(std::int64_t step, std::vector<std::int64_t> damaged, std::vector<std::int64_t> kept_best);
  /// Steps that pruning must leave, beside the newest: the best by some metric. Those that were named before stay too, until all of these
  /// are on the disk.
  void keep_best(std::vector<std::int64_t> steps) { next_best_ = std::move(steps); }
  /// All that pruning leaves for being best.
  std::vector<std::int64_t> kept_best() const;

 private:
  struct Writer;
  struct InFlight {
    std::int64_t step = 0;
    Json run_state;
    std::string folder;  // the temporary one, with the run directory
    std::chrono::steady_clock::time_point started;
    std::unique_ptr<Writer> writer;
  };

  bool is_root() const { return setup_.mesh.control->rank() == 0; }
  std::string make_folder(std::int64_t step, std::string& error);
  void conclude();
  std::string commit(const InFlight&, const std::vector<std::string>& reports, std::int64_t& bytes);
  void write_manifest(const InFlight&, const Manifest&);
  void move_into_place(const InFlight&);
  void prune(std::int64_t committed);
  void give_up(std::int64_t step, const std::string& folder, const std::string& error);

  Setup setup_;
  Memory buffer_;  // of the writer
  std::optional<InFlight> save_;
  std::int64_t committed_step_ = -1;
  std::vector<std::int64_t> best_, next_best_, damaged_;
  int failed_in_row_ = 0;  // steps
  std::int64_t failed_step_ = -1;
};

}  // namespace weft
