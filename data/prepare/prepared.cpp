#include "data/prepare/prepared.h"

#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "data/prepare/prepared_json.h"
#include "data/text/text_file.h"
#include "runtime/error.h"

namespace weft {
namespace {

void require_same(const VocabularyInfo& found, const VocabularyInfo& expected, const std::string& place, const std::string& file) {
  if (found == expected) return;
  fail_input(
      fmt::format("{}: prepared with vocabulary {:016x}; {} is {:016x}. Prepare the data again, or give the vocabulary they were made with",
                  place, found.fingerprint, file, expected.fingerprint));
}

Dataset open_split(const std::string& folder, const Vocabulary& source, const Vocabulary& target, const VocabularyFiles& files) {
  Dataset data(folder);
  require_same(data.vocabulary(Side::kSource), info_of(source), folder + "/source.bin", files.source);
  require_same(data.vocabulary(Side::kTarget), info_of(target), folder + "/target.bin", files.target);
  return data;
}

}  // namespace

Json read_prepared_json(const std::string& folder) {
  const std::string path = folder + "/prepared.json";
  if (!std::filesystem::exists(path)) {  // a preparation takes it away before it changes anything beside it, and puts it back last
    fail_input(
        fmt::format("{}: does not exist: {} holds no prepared data, or the preparation was interrupted; run `weft prepare`", path, folder));
  }
  Json json = Json::parse(read_whole_file(path), path);
  if (json.at("format").as_int() != kPreparedFormat) {
    fail_input(fmt::format("{}: format {}, expected {}; prepare the data again", path, json.at("format").as_int(), kPreparedFormat));
  }
  return json;
}

VocabularyFiles vocabulary_files(const std::string& folder, bool shared) {
  if (shared) return {folder + "/vocab.model", folder + "/vocab.model"};
  return {folder + "/vocab.src.model", folder + "/vocab.tgt.model"};
}

namespace {

constexpr std::pair<const char*, std::int64_t PrepareAccount::*> kCounts[] = {
    {"lines", &PrepareAccount::lines},       {"kept", &PrepareAccount::kept},         {"invalid_utf8", &PrepareAccount::invalid_utf8},
    {"empty", &PrepareAccount::empty},       {"too_long", &PrepareAccount::too_long}, {"length_ratio", &PrepareAccount::length_ratio},
    {"repaired", &PrepareAccount::repaired}, {"cropped", &PrepareAccount::cropped}};

}  // namespace

Json to_json(const PrepareAccount& account) {
  Json json = Json::object();
  for (const auto& [name, count] : kCounts) json.set(name, account.*count);
  return json;
}

PrepareAccount account_from_json(const Json& json) {
  PrepareAccount account;
  for (const auto& [name, count] : kCounts) account.*count = json.at(name).as_int();
  return account;
}

PreparedData open_prepared(const std::string& folder, const VocabConfig& vocab) {
  const Json json = read_prepared_json(folder);
  const bool shared = json.at("shared_vocabulary").as_bool();
  const VocabularyFiles files = vocabulary_files(folder, shared);
  Vocabulary source = Vocabulary::load(files.source), target = Vocabulary::load(files.target);
  for (const auto& [given, own] : {std::pair(&vocab.src, &source), std::pair(&vocab.tgt, &target)}) {
    if (!given->empty()) require_same(info_of(*own), info_of(Vocabulary::load(*given)), folder, *given);
  }
  Dataset train = open_split(folder + "/train", source, target, files);
  PreparedData data{.source = std::move(source), .target = std::move(target), .shared_vocabulary = shared, .train = std::move(train)};
  data.train_account = account_from_json(json.at("train"));
  if (const Json* valid = json.find("valid")) {
    data.valid = open_split(folder + "/valid", data.source, data.target, files);
    data.valid_text = {folder + "/valid/text.src", folder + "/valid/text.tgt"};
    data.valid_account = account_from_json(*valid);
  }
  return data;
}

}  // namespace weft
