#include "data/prepare/prepared_folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "data/dataset_format.h"
#include "data/prepare/prepared.h"
#include "data/prepare/prepared_json.h"
#include "data/text/output_file.h"
#include "runtime/error.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPreparedFile = "/prepared.json";

std::string staging_of(const std::string& folder) {
  return folder + "/.preparing";
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

/// Files below a folder, relative to it, sorted.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) names.push_back(entry.path().lexically_relative(folder).string());
  }
  std::ranges::sort(names);
  return names;
}

/// The same members in the order of their names: what stayed from an earlier start must not show in the bytes.
Json by_name(const Json& files) {
  std::vector<Json::Member> members(files.as_object().begin(), files.as_object().end());
  std::ranges::sort(members, {}, &Json::Member::key);
  Json sorted = Json::object();
  for (const Json::Member& member : members) sorted.set(member.key, member.value);
  return sorted;
}

/// What prepared.json says of the files, when there is one that says it.
const Json* listed_files(const Json& prepared) {
  return prepared.find("files");
}

bool is_data_set(const std::string& path) {
  std::array<char, 8> magic{};
  std::ifstream(path, std::ios::binary).read(magic.data(), magic.size());
  return magic == dataset_format::kMagic;
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw Error(ExitCode::kStorage, fmt::format("{}: cannot be created: {}", path, error.message()));
}

/// Where it is a damaged data set it is ours all the same.
bool is_own(const std::string& folder, const std::string& name, FileContents& contents) {
  const std::string path = folder + "/" + name;
  if (std::error_code error; !fs::is_regular_file(path, error)) return false;
  if (is_data_set(path)) return true;
  if (!exists(folder + kPreparedFile)) return false;
  const Json prepared = read_prepared_json(folder);
  const Json* files = listed_files(prepared);
  if (files == nullptr) return true;  // of a version that listed none
  const Json* content = files->find(name);
  return content != nullptr && contents.of(path) == *content;
}

}  // namespace

PreparedStaging::PreparedStaging(const std::string& folder) : folder_(folder), path_(staging_of(folder)) {
  std::error_code error;
  fs::remove_all(path_, error);
  make_folder(path_);
}

PreparedStaging::~PreparedStaging() {
  std::error_code error;
  fs::remove_all(path_, error);
}

void PreparedStaging::commit(Json prepared, const Json& staying) {
  Json files = staying;
  FileContents fresh("");
  for (const std::string& name : files_below(path_)) files.set(name, fresh.of(path_ + "/" + name));
  Json earlier = Json::object();
  if (exists(folder_ + kPreparedFile)) {
    const Json before = read_prepared_json(folder_);
    if (const Json* listed = listed_files(before)) earlier = *listed;
  }
  std::vector<std::string> superfluous;
  for (const Json::Member& member : earlier.as_object()) {
    if (files.find(member.key) == nullptr && is_own(folder_, member.key, fresh)) superfluous.push_back(folder_ + "/" + member.key);
  }
  prepared.set("files", by_name(files));
  write_file(path_ + kPreparedFile, prepared.dump(2) + "\n");
  finish_commit(folder_);
  std::error_code error;
  for (const std::string& path : superfluous) fs::remove(path, error);
}

void finish_commit(const std::string& folder) {
  const std::string staging = staging_of(folder);
  if (!exists(staging + kPreparedFile)) return;  // nothing was about to be renamed
  std::error_code error;
  fs::remove(folder + kPreparedFile, error);  // from here on the folder does not count until all is in its place
  for (const std::string& name : files_below(staging)) {
    if ("/" + name == kPreparedFile) continue;
    make_folder(fs::path(folder + "/" + name).parent_path().string());
    rename_file(staging + "/" + name, folder + "/" + name);
  }
  rename_file(staging + kPreparedFile, folder + kPreparedFile);
  fs::remove_all(staging, error);
}

Json training_files(const Json& prepared) {
  Json kept = Json::object();
  const Json* files = listed_files(prepared);
  if (files == nullptr) return kept;
  for (const Json::Member& member : files->as_object()) {
    if (!member.key.starts_with("valid/")) kept.set(member.key, member.value);
  }
  return kept;
}

std::string damage_of(const std::string& folder, bool training_only, FileContents& contents) {
  try {
    const Json prepared = read_prepared_json(folder);
    const Json* files = listed_files(prepared);
    if (files == nullptr) {
      const PreparedData data = open_prepared(folder, {});
      data.train.verify();
      if (data.valid && !training_only) data.valid->verify();
      return "";
    }
    const Json training = training_files(prepared);
    for (const Json::Member& member : (training_only ? training : *files).as_object()) {
      const std::string path = folder + "/" + member.key;
      if (contents.of(path) != member.value) return path + ": is not as it was prepared, by its checksum";
    }
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

bool is_own_or_missing(const std::string& folder, const std::string& name, FileContents& contents) {
  return !exists(folder + "/" + name) || is_own(folder, name, contents);
}

void require_own(const std::string& folder, const std::vector<std::string>& names, FileContents& contents) {
  for (const std::string& name : names) {
    if (is_own_or_missing(folder, name, contents)) continue;
    fail_input(fmt::format("{}/{}: exists already and was not written by a preparation\n  expected  another folder, or no such file",
                           folder, name));
  }
}

}  // namespace weft
