#pragma once
#include <string>

#include "tests/support/temporary_folder.h"

namespace weft::test {

/// A temporary folder with files of a test.
class TextFolder {
 public:
  std::string path(const std::string& name) const { return name.empty() ? folder_.path() : folder_.file(name); }
  std::string read(const std::string& name) const { return read_text(path(name)); }
  std::string write(const std::string& name, const std::string& content) const {
    write_text(path(name), content);
    return path(name);
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace weft::test
