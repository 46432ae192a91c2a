#pragma once
#include <atomic>
#include <functional>

#include "runtime/files/storage.h"

namespace weft::test {

/// Passes every call on, but for one.
class FaultyStorage : public Storage {
 public:
  enum class Kind {
    kFail,        // nothing is done, an error is reported
    kFailAfter,   // it is done, and an error is reported (a rename over NFS)
    kTear,        // half of a write is done, an error is reported
    kKillBefore,  // the process dies: this call and all later ones do nothing
    kKillTorn,
    kKillAfter,
  };
  struct Fault {
    Kind kind = Kind::kFail;
    std::int64_t call = 0;  // which one, from 1; 0: never
    int error_number = 0;
  };
  FaultyStorage(Storage& inner, Fault fault) : inner_(inner), fault_(fault) {}

  bool happened() const { return calls_ >= fault_.call; }
  std::int64_t calls() const { return calls_; }

  std::unique_ptr<WritableFile> create(const std::string& path) override;
  std::unique_ptr<ReadableFile> open(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove_file(const std::string& path) override;
  void remove_folder(const std::string& path) override;
  void create_folder(const std::string& path) override;
  std::vector<Entry> list(const std::string& folder) override;
  void sync_folder(const std::string& path) override;
  std::int64_t free_bytes(const std::string& folder) override;

 private:
  class File;
  /// Counts a call and does it, or what the fault makes of it. `half`: half of it, for a write.
  void pass(const std::string& what, const std::function<void()>& call, const std::function<void()>& half);
  void pass(const std::string& what, const std::function<void()>& call) {
    pass(what, call, [] {});
  }

  Storage& inner_;
  Fault fault_;
  std::atomic<std::int64_t> calls_ = 0;
  std::atomic<bool> dead_ = false;
};

}  // namespace weft::test
