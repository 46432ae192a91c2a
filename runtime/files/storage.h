#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/error.h"

namespace weft {

/// A file call that failed: the message has operation, path and the system's text, for example
/// "write runs/ende/.tmp-step-000000015000-7f3a/weights-...: No space left on device (28)".
class StorageError : public Error {
 public:
  StorageError(const std::string& operation, const std::string& path, int error_number);
  int error_number() const { return error_number_; }  // errno

 private:
  int error_number_;
};

/// Written from front to back. Destroyed without `close`: abandoned, errors are not seen.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void write(std::span<const std::byte>) = 0;  // all of it, or fails
  virtual void sync() = 0;  // the data are on the disk. Never retried on this file: Linux marks the pages clean after a failure
  virtual void close() = 0;
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::int64_t size() const = 0;
  virtual void read(std::int64_t offset, std::span<std::byte> out) = 0;  // all of `out`, or fails
};

/// All file calls of saving and loading go through here, so that a test can make each of them fail, tear or kill. Every call either does
/// what it says or throws StorageError. Thread-safe: a writer thread saves while the main thread works.
class Storage {
 public:
  struct Entry {
    std::string name;  // without its folder
    bool is_folder;    // a real one, no symbolic link
  };

  virtual ~Storage() = default;
  virtual std::unique_ptr<WritableFile> create(const std::string& path) = 0;  // mode 0600; fails when anything is there already
  /// A regular file. The last component is never a symbolic link: a name out of a manifest cannot lead elsewhere.
  virtual std::unique_ptr<ReadableFile> open(const std::string& path) = 0;
  virtual void rename(const std::string& from, const std::string& to) = 0;  // fails when `to` is a file or a folder that is not empty
  virtual void remove_file(const std::string& path) = 0;
  virtual void remove_folder(const std::string& path) = 0;         // must be empty
  virtual void create_folder(const std::string& path) = 0;         // mode 0700; fails when anything is there already
  virtual std::vector<Entry> list(const std::string& folder) = 0;  // sorted by name
  virtual void sync_folder(const std::string& path) = 0;           // names made or changed in it are on the disk
  virtual std::int64_t free_bytes(const std::string& folder) = 0;  // that this user may still take
};

std::unique_ptr<Storage> make_posix_storage();

/// A name without folders: not empty, no slash, not "." or "..".
bool is_bare_name(const std::string& name);
/// A whole file. Fails (exit 64) when it is larger than `max_bytes`.
std::string read_file(Storage&, const std::string& path, std::int64_t max_bytes);
/// Removes a folder and the files and folders in it. A symbolic link is removed, never followed.
void remove_tree(Storage&, const std::string& folder);

}  // namespace weft
