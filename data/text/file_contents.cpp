#include "data/text/file_contents.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "data/text/output_file.h"
#include "data/text/text_file.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// A file that was written less than so long ago may be written again without another time: clocks of file systems tick in steps.
constexpr std::int64_t kSettledNanoseconds = 2'000'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

/// What changes when a file is written or replaced.
std::string stamp_of(const struct stat& info) {
  return fmt::format("{} {} {} {}", info.st_size, info.st_ino, nanoseconds(info.st_mtim), nanoseconds(info.st_ctim));
}

bool is_settled(const struct stat& info) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return nanoseconds(now) - std::max(nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)) > kSettledNanoseconds;
}

Json read_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail_input(fmt::format("{}: cannot be read", path));
  XXH3_state_t* state = XXH3_createState();
  XXH3_64bits_reset(state);
  std::vector<char> buffer(std::size_t{1} << 20);
  std::int64_t bytes = 0;
  while (file.read(buffer.data(), static_cast<std::streamsize>(buffer.size())), file.gcount() > 0) {
    XXH3_64bits_update(state, buffer.data(), static_cast<std::size_t>(file.gcount()));
    bytes += file.gcount();
  }
  const std::uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  if (file.bad()) fail_input(fmt::format("{}: cannot be read after byte {}", path, bytes));
  return Json::object().set("bytes", bytes).set("xxh3", fmt::format("{:016x}", hash));
}

}  // namespace

FileContents::FileContents(std::string memory) : memory_(std::move(memory)) {
  try {
    if (std::error_code error; !std::filesystem::is_regular_file(memory_, error)) return;
    const Json read = Json::parse(read_whole_file(memory_), memory_);
    for (const Json::Member& member : read.as_object()) {
      if (member.value.find("stamp") != nullptr && member.value.find("content") != nullptr) known_[member.key] = member.value;
    }
  } catch (const Error&) {
    known_.clear();
  }
}

Json FileContents::of(const std::string& path) {
  require_text_file(path);
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) fail_input(fmt::format("{}: cannot be read", path));
  const std::string key = std::filesystem::absolute(path).lexically_normal().string();
  const std::string stamp = stamp_of(info);
  const auto known = known_.find(key);
  if (known != known_.end() && known->second.at("stamp").as_string() == stamp) return known->second.at("content");
  const bool settled = is_settled(info);
  Json content = read_content(path);
  read_.push_back(path);
  known_.erase(key);
  if (settled) known_[key] = Json::object().set("stamp", stamp).set("content", content);
  return content;
}

std::vector<std::string> FileContents::take_read() {
  return std::exchange(read_, {});
}

void FileContents::save() const {
  Json json = Json::object();
  for (const auto& [path, known] : known_) json.set(path, known);
  try {
    write_file(memory_, json.dump(2) + "\n");
  } catch (const Error&) {  // read again by the next process
  }
}

}  // namespace weft
