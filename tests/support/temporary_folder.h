#pragma once
#include <string>

namespace weft::test {

/// A fresh folder that is removed with all it holds at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Whole files, past any Storage.
std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

}  // namespace weft::test
