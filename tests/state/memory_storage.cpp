#include "tests/state/memory_storage.h"

#include <algorithm>
#include <cerrno>
#include <set>

namespace weft::test {
namespace {

using Node = MemoryStorage::Node;
using Copies = std::map<const Node*, std::shared_ptr<Node>>;

class MemoryWritableFile : public WritableFile {
 public:
  MemoryWritableFile(std::shared_ptr<Node> node, std::mutex& mutex) : node_(std::move(node)), mutex_(mutex) {}
  void write(std::span<const std::byte> bytes) override {
    const std::lock_guard lock(mutex_);
    node_->bytes.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void sync() override {
    const std::lock_guard lock(mutex_);
    node_->synced_bytes = node_->bytes;
  }
  void close() override {}

 private:
  std::shared_ptr<Node> node_;
  std::mutex& mutex_;
};

class MemoryReadableFile : public ReadableFile {
 public:
  MemoryReadableFile(std::string bytes, std::string path) : bytes_(std::move(bytes)), path_(std::move(path)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(bytes_.size()); }
  void read(std::int64_t offset, std::span<std::byte> out) override {
    if (offset < 0 || offset + static_cast<std::int64_t>(out.size()) > size()) throw StorageError("read", path_, EIO);
    std::copy_n(bytes_.data() + offset, out.size(), reinterpret_cast<char*>(out.data()));
  }

 private:
  std::string bytes_, path_;
};

std::shared_ptr<Node> copy(const std::shared_ptr<Node>& node, Copies& copies) {
  std::shared_ptr<Node>& made = copies[node.get()];
  if (made) return made;
  made = std::make_shared<Node>(*node);
  const std::shared_ptr<Node> result = made;
  for (auto* names : {&result->names, &result->synced_names}) {
    for (auto& [name, child] : *names) child = copy(child, copies);
  }
  return result;
}

/// Draws from a stream, one after the other.
class Dice {
 public:
  explicit Dice(RandomKey key) : key_(key) {}
  std::uint64_t below(std::uint64_t bound) { return random_below(key_, count_++, bound); }

 private:
  RandomKey key_;
  std::uint64_t count_ = 0;
};

std::string survivor(const Node& file, Dice& dice) {
  if (file.bytes == file.synced_bytes) return file.bytes;
  const std::size_t unit = dice.below(2) == 0 ? 512 : 4096;
  const std::size_t synced = file.synced_bytes.size();
  switch (dice.below(4)) {
    case 0:
      return file.synced_bytes;
    case 1:
      return file.bytes;
    case 2: {  // cut off
      const std::size_t units = (file.bytes.size() - synced) / unit + 1;
      return file.bytes.substr(0, synced + dice.below(units) * unit);
    }
    default: {  // torn: the length is there, some sectors were never written
      std::string torn = file.bytes;
      for (std::size_t begin = synced; begin < torn.size(); begin += unit) {
        if (dice.below(2) == 0) std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(begin), std::min(unit, torn.size() - begin), '\0');
      }
      return torn;
    }
  }
}

void lose_power(const std::shared_ptr<Node>& node, Dice& dice, std::set<const Node*>& done) {
  if (!done.insert(node.get()).second) return;
  if (!node->is_folder) {
    node->bytes = node->synced_bytes = survivor(*node, dice);
    return;
  }
  auto left = node->synced_names;
  for (const auto& [name, child] : node->names) {
    const auto synced = left.find(name);
    const bool changed = synced == left.end() || synced->second != child;
    if (changed && dice.below(2) == 0) left[name] = child;  // the new name reached the disk
  }
  for (const auto& [name, child] : node->synced_names) {
    if (!node->names.contains(name) && dice.below(2) == 0) left.erase(name);  // the removal did
  }
  node->names = node->synced_names = left;
  for (const auto& [name, child] : left) lose_power(child, dice, done);
}

}  // namespace

MemoryStorage::MemoryStorage() : root_(std::make_shared<Node>()) {
  root_->is_folder = true;
}

MemoryStorage::MemoryStorage(const MemoryStorage& other) : free_bytes_(other.free_bytes_) {
  const std::lock_guard lock(other.mutex_);
  Copies copies;
  root_ = copy(other.root_, copies);
}

std::shared_ptr<Node> MemoryStorage::find(const std::string& path, const std::string& operation) const {
  std::shared_ptr<Node> node = root_;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const auto child = node->names.find(path.substr(begin, end - begin));
    if (child == node->names.end()) throw StorageError(operation, path, ENOENT);
    node = child->second;
    begin = end + 1;
  }
  return node;
}

std::shared_ptr<Node> MemoryStorage::find_parent(const std::string& path, const std::string& operation, std::string& name) const {
  const std::size_t slash = path.rfind('/');
  name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  return slash == std::string::npos ? root_ : find(path.substr(0, slash), operation);
}

std::unique_ptr<WritableFile> MemoryStorage::create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::string name;
  auto& names = find_parent(path, "create", name)->names;
  if (names.contains(name)) throw StorageError("create", path, EEXIST);
  const auto node = std::make_shared<Node>();
  names[name] = node;
  return std::make_unique<MemoryWritableFile>(node, mutex_);
}

std::unique_ptr<ReadableFile> MemoryStorage::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto node = find(path, "open");
  if (node->is_folder) throw StorageError("open", path, EINVAL);
  return std::make_unique<MemoryReadableFile>(node->bytes, path);
}

void MemoryStorage::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  std::string from_name, to_name;
  const auto node = find(from, "rename");
  const auto from_folder = find_parent(from, "rename", from_name), to_folder = find_parent(to, "rename", to_name);
  if (to_folder->names.contains(to_name)) throw StorageError("rename", from, ENOTEMPTY);
  from_folder->names.erase(from_name);
  to_folder->names[to_name] = node;
}

void MemoryStorage::remove_file(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::string name;
  if (find(path, "remove")->is_folder) throw StorageError("remove", path, EISDIR);
  find_parent(path, "remove", name)->names.erase(name);
}

void MemoryStorage::remove_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::string name;
  const auto node = find(path, "remove folder");
  if (!node->is_folder || !node->names.empty()) throw StorageError("remove folder", path, ENOTEMPTY);
  find_parent(path, "remove folder", name)->names.erase(name);
}

void MemoryStorage::create_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  std::string name;
  auto& names = find_parent(path, "create folder", name)->names;
  if (names.contains(name)) throw StorageError("create folder", path, EEXIST);
  names[name] = std::make_shared<Node>();
  names[name]->is_folder = true;
}

std::vector<Storage::Entry> MemoryStorage::list(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> entries;
  for (const auto& [name, node] : find(folder, "list")->names) entries.push_back({name, node->is_folder});
  return entries;
}

void MemoryStorage::sync_folder(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto node = find(path, "fsync folder");
  node->synced_names = node->names;
}

std::string& MemoryStorage::bytes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return find(path, "open")->bytes;
}

std::unique_ptr<MemoryStorage> MemoryStorage::after_power_loss(RandomKey key) const {
  auto left = std::make_unique<MemoryStorage>(*this);
  Dice dice(key);
  std::set<const Node*> done;
  lose_power(left->root_, dice, done);
  return left;
}

}  // namespace weft::test
