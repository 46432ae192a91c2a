#include "launcher/start/run_files.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "data/text/output_file.h"
#include "data/text/text_file.h"
#include "runtime/error.h"
#include "runtime/files/checksum.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

std::string line_of(const std::string& name, std::string_view text) {
  return checksum(text).hex() + " " + name;
}

[[noreturn]] void refuse(const std::string& path) {
  fail_input(path + ": exists already and was not written by this run\n  expected  another run_dir, or the file under another name");
}

/// What a run writes over without looking: its names must be free when it begins.
void require_free(const std::string& run_dir) {
  for (const char* name : {"/best.json", "/flight"}) {
    if (exists(run_dir + name)) refuse(run_dir + name);
  }
  std::error_code error;
  for (fs::directory_iterator entry(run_dir + "/valid", error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().filename().string().starts_with("step-")) refuse(entry->path().string());
  }
}

}  // namespace

RunFiles::RunFiles(const std::string& run_dir, bool has_checkpoints) : run_dir_(run_dir), has_checkpoints_(has_checkpoints) {
  const std::string list = run_dir + "/.written";
  if (exists(list)) {
    std::ifstream file(list);
    for (std::string line; std::getline(file, line);) written_.push_back(line);
    return;
  }
  if (!has_checkpoints) {
    require_free(run_dir);
    write_file(list, "");
    return;
  }
  for (const std::string name : {"config.yaml", "vocab.model", "vocab.src.model", "vocab.tgt.model"}) {
    if (exists(run_dir + "/" + name)) note(name, read_whole_file(run_dir + "/" + name));
  }
}

bool RunFiles::wrote(const std::string& name) const {
  const std::string path = run_dir_ + "/" + name;
  std::error_code error;
  return fs::is_regular_file(path, error) && std::ranges::count(written_, line_of(name, read_whole_file(path))) > 0;
}

/// A list that cannot be written, on a full disk, is made up by the next start.
void RunFiles::note(const std::string& name, std::string_view text) {
  written_.push_back(line_of(name, text));
  std::ofstream(run_dir_ + "/.written", std::ios::app) << written_.back() << '\n';
}

void RunFiles::require_own(const std::string& name, std::string_view text) const {
  const std::string path = run_dir_ + "/" + name;
  if (!exists(path) || wrote(name)) return;
  if (std::error_code error; !fs::is_regular_file(path, error) || read_whole_file(path) != text) refuse(path);
}

void RunFiles::write(const std::string& name, std::string_view text) {
  require_own(name, text);
  const std::string path = run_dir_ + "/" + name;
  if (exists(path) && read_whole_file(path) == text) return;
  note(name, text);
  write_file(path, text);
}

VocabularyFiles RunFiles::ready_vocabularies(bool shared) const {
  VocabularyFiles ready = vocabulary_files(run_dir_, shared);
  for (std::string* path : {&ready.source, &ready.target}) {
    const std::string name = fs::path(*path).filename().string();
    if (!exists(*path) || (wrote(name) && !has_checkpoints_)) path->clear();
  }
  return ready;
}

}  // namespace weft
