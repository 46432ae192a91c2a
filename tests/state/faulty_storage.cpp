#include "tests/state/faulty_storage.h"

#include <cerrno>

namespace weft::test {

class FaultyStorage::File : public WritableFile {
 public:
  File(FaultyStorage& storage, std::unique_ptr<WritableFile> inner, std::string path)
      : storage_(storage), inner_(std::move(inner)), path_(std::move(path)) {}
  void write(std::span<const std::byte> bytes) override {
    storage_.pass(
        "write " + path_, [&] { inner_->write(bytes); }, [&] { inner_->write(bytes.first(bytes.size() / 2)); });
  }
  void sync() override {
    storage_.pass("fsync " + path_, [&] { inner_->sync(); });
  }
  void close() override {
    storage_.pass("close " + path_, [&] { inner_->close(); });
  }

 private:
  FaultyStorage& storage_;
  std::unique_ptr<WritableFile> inner_;
  std::string path_;
};

void FaultyStorage::pass(const std::string& what, const std::function<void()>& call, const std::function<void()>& half) {
  if (dead_) throw StorageError("dead:", what, EIO);
  if (++calls_ != fault_.call) return call();
  if (fault_.kind == Kind::kFailAfter || fault_.kind == Kind::kKillAfter) call();
  if (fault_.kind == Kind::kTear || fault_.kind == Kind::kKillTorn) half();
  dead_ = fault_.kind == Kind::kKillBefore || fault_.kind == Kind::kKillTorn || fault_.kind == Kind::kKillAfter;
  throw StorageError("injected:", what, fault_.error_number);
}

std::unique_ptr<WritableFile> FaultyStorage::create(const std::string& path) {
  std::unique_ptr<WritableFile> file;
  pass("create " + path, [&] { file = inner_.create(path); });
  return std::make_unique<File>(*this, std::move(file), path);
}

std::unique_ptr<ReadableFile> FaultyStorage::open(const std::string& path) {
  std::unique_ptr<ReadableFile> file;
  pass("open " + path, [&] { file = inner_.open(path); });
  return file;
}

void FaultyStorage::rename(const std::string& from, const std::string& to) {
  pass("rename " + from, [&] { inner_.rename(from, to); });
}

void FaultyStorage::remove_file(const std::string& path) {
  pass("remove " + path, [&] { inner_.remove_file(path); });
}

void FaultyStorage::remove_folder(const std::string& path) {
  pass("remove folder " + path, [&] { inner_.remove_folder(path); });
}

void FaultyStorage::create_folder(const std::string& path) {
  pass("create folder " + path, [&] { inner_.create_folder(path); });
}

std::vector<Storage::Entry> FaultyStorage::list(const std::string& folder) {
  std::vector<Entry> entries;
  pass("list " + folder, [&] { entries = inner_.list(folder); });
  return entries;
}

void FaultyStorage::sync_folder(const std::string& path) {
  pass("fsync folder " + path, [&] { inner_.sync_folder(path); });
}

std::int64_t FaultyStorage::free_bytes(const std::string& folder) {
  std::int64_t bytes = 0;
  pass("statvfs " + folder, [&] { bytes = inner_.free_bytes(folder); });
  return bytes;
}

}  // namespace weft::test
