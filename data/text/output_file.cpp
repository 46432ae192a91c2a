#include "data/text/output_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "runtime/error.h"

namespace weft {
namespace {

/// A rename survives a power loss only once its directory is on disk.
bool sync_directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const int directory = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool done = fsync(directory) == 0;
  close(directory);
  return done;
}

}  // namespace

OutputFile::OutputFile(const std::string& path)
    : path_(path),
      temporary_((std::filesystem::path(path).parent_path() / (".tmp-" + std::filesystem::path(path).filename().string())).string()) {
  file_ = open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file_ < 0) fail_call("created");
}

OutputFile::~OutputFile() {
  if (file_ < 0) return;
  close(file_);
  unlink(temporary_.c_str());
}

void OutputFile::append(const void* data, std::int64_t bytes) {
  overwrite(size_, data, bytes);
  size_ += bytes;
}

void OutputFile::overwrite(std::int64_t at, const void* data, std::int64_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = pwrite(file_, from, static_cast<std::size_t>(bytes), at);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_call("written");
    from += written;
    at += written;
    bytes -= written;
  }
}

void OutputFile::commit() {
  if (fsync(file_) != 0) fail_call("flushed to disk");
  const int closed = close(file_);
  file_ = -1;
  if (closed != 0) fail_call("closed");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_call("renamed");
  if (!sync_directory_of(path_)) fail_call("made durable");
}

void OutputFile::fail_call(std::string_view call) const {
  throw Error(ExitCode::kStorage, fmt::format("{}: cannot be {}: {}", path_, call, std::strerror(errno)));
}

void rename_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) == 0 && sync_directory_of(to)) return;
  throw Error(ExitCode::kStorage, fmt::format("{}: cannot be renamed to {}: {}", from, to, std::strerror(errno)));
}

void write_file(const std::string& path, std::string_view content) {
  OutputFile file(path);
  file.append(content.data(), static_cast<std::int64_t>(content.size()));
  file.commit();
}

}  // namespace weft
