#pragma once
#include <map>
#include <string>
#include <vector>

#include "runtime/files/json.h"

namespace weft {

/// Sizes and checksums of files. A file is read once and then trusted as long as its size, times and inode stay, also by a later process:
/// what was found is kept in a file of its own, which may be deleted at any time and costs nothing but a second look.
class FileContents {
 public:
  /// `memory`: the file to remember in. Not there or damaged: everything is read anew.
  explicit FileContents(std::string memory);

  /// {bytes, xxh3}. A file that cannot be read is a mistake of the user.
  Json of(const std::string& path);
  /// Files that were read, not remembered, since the last call.
  std::vector<std::string> take_read();
  /// Remembers for the next process. A failure is ignored: the files are then read again.
  void save() const;

 private:
  std::string memory_;
  std::map<std::string, Json> known_;  // by absolute path: the stamp, bytes and xxh3
  std::vector<std::string> read_;
};

}  // namespace weft
