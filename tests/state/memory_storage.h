#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/files/storage.h"
#include "runtime/random.h"

namespace weft::test {

/// A file system in memory that knows what is on the disk and what is not yet: bytes are after `sync`, names after `sync_folder`. A crash
/// keeps, loses or tears whatever was not.
class MemoryStorage : public Storage {
 public:
  struct Node {
    bool is_folder = false;
    std::string bytes, synced_bytes;
    std::map<std::string, std::shared_ptr<Node>> names, synced_names;
  };

  MemoryStorage();
  MemoryStorage(const MemoryStorage& other);  // a deep copy
  MemoryStorage& operator=(const MemoryStorage&) = delete;

  std::unique_ptr<WritableFile> create(const std::string& path) override;
  std::unique_ptr<ReadableFile> open(const std::string& path) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove_file(const std::string& path) override;
  void remove_folder(const std::string& path) override;
  void create_folder(const std::string& path) override;
  std::vector<Entry> list(const std::string& folder) override;
  void sync_folder(const std::string& path) override;
  std::int64_t free_bytes(const std::string&) override { return free_bytes_; }

  /// Past the interface: what damage does to a disk.
  std::string& bytes(const std::string& path);
  void set_free_bytes(std::int64_t bytes) { free_bytes_ = bytes; }
  /// What a power loss may leave of it, one of many possibilities by the draws of `key`: each name that was made, removed or renamed since
  /// its folder was synced is there or not; unsynced bytes are there, lost, cut off or torn at 512 bytes or 4 KiB.
  std::unique_ptr<MemoryStorage> after_power_loss(RandomKey key) const;

 private:
  std::shared_ptr<Node> find(const std::string& path, const std::string& operation) const;
  std::shared_ptr<Node> find_parent(const std::string& path, const std::string& operation, std::string& name) const;

  mutable std::mutex mutex_;
  std::shared_ptr<Node> root_;
  std::int64_t free_bytes_ = std::int64_t{1} << 40;
};

}  // namespace weft::test
