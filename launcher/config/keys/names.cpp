#include "launcher/config/keys/names.h"

#include <algorithm>

#include "launcher/config/keys/aliases.h"

namespace weft {

std::string plain_name(std::string_view name) {
  const std::size_t begin = std::min(name.find_first_not_of('-'), name.size());
  std::string plain(name.substr(begin));
  std::replace(plain.begin(), plain.end(), '-', '_');
  return plain;
}

const Section* find_section(const std::string& name) {
  for (const Section& section : sections()) {
    if (!name.empty() && section.name == name) return &section;
  }
  return nullptr;
}

std::pair<const Section*, const Key*> find_key(const std::string& path) {
  const std::size_t dot = path.find('.');
  const Section* section = dot == std::string::npos ? &sections().front() : find_section(path.substr(0, dot));
  const std::string name = dot == std::string::npos ? path : path.substr(dot + 1);
  if (section == nullptr) return {nullptr, nullptr};
  for (const Key& key : section->keys) {
    if (key.name == name) return {section, &key};
  }
  return {nullptr, nullptr};
}

std::string nearest_key(const Section& section, const std::string& name) {
  std::vector<std::string> own, every, paths, foreign;
  for (const Section& other : sections()) {
    if (!other.name.empty()) {
      every.push_back(other.name);
      paths.push_back(other.name + ":");
    }
    for (const Key& key : other.keys) {
      if (other.name == section.name) own.push_back(key.name);
      every.push_back(key.name);
      paths.push_back(other.name.empty() ? key.name : other.name + "." + key.name);
    }
  }
  if (const auto nearest = nearest_name(name, own)) return *nearest;
  if (const auto nearest = nearest_name(name, every)) {
    return paths[static_cast<std::size_t>(std::find(every.begin(), every.end(), *nearest) - every.begin())];
  }
  for (const auto& [theirs, ours] : foreign_names()) foreign.push_back(theirs);
  const auto nearest = nearest_name(name, foreign);
  if (!nearest) return "";
  const std::string& ours = foreign_names().at(*nearest).key;
  return ours.empty() ? *nearest : *nearest + ", which is " + ours + " here";
}

}  // namespace weft
