// The files of wrong_inputs/ hold cases: "== name", the configuration, "--", and the whole text the user reads; HERE stands for the working
// directory.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

struct Case {
  std::string name, input, expected;
};

std::vector<Case> read_cases(const std::string& file) {
  std::ifstream in(std::string(WEFT_SOURCE_DIR "/tests/launcher/input/wrong_inputs/") + file + ".txt");
  std::vector<Case> cases;
  bool expected = false;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("== ")) {
      cases.push_back({.name = line.substr(3)});
      expected = false;
    } else if (line == "--") {
      expected = true;
    } else {
      (expected ? cases.back().expected : cases.back().input) += line + "\n";
    }
  }
  return cases;
}

void expect_refused(const std::string& file, std::size_t at_least, ConfigUse use) {
  const std::vector<Case> cases = read_cases(file);
  EXPECT_GE(cases.size(), at_least);
  for (Case c : cases) {
    SCOPED_TRACE(file + ": " + c.name);
    const std::string here = std::filesystem::current_path().string();
    for (std::size_t at = 0; (at = c.expected.find("HERE", at)) != std::string::npos; at += here.size()) c.expected.replace(at, 4, here);
    EXPECT_EQ(refusal([&] { parse_config(c.input, "c.yaml", use); }), c.expected);
  }
}

TEST(WrongInputsTest, Keys) {
  expect_refused("keys", 17, ConfigUse::kRead);
}

TEST(WrongInputsTest, Numbers) {
  expect_refused("numbers", 37, ConfigUse::kRead);
}

TEST(WrongInputsTest, Words) {
  expect_refused("words", 29, ConfigUse::kRead);
}

TEST(WrongInputsTest, WhatIsNotBuiltYetIsSaid) {
  expect_refused("later", 13, ConfigUse::kRead);
}

TEST(WrongInputsTest, NamesFromElsewhere) {
  expect_refused("names", 17, ConfigUse::kRead);
}

TEST(WrongInputsTest, ValuesThatContradict) {
  expect_refused("conflicts", 19, ConfigUse::kRead);
}

TEST(WrongInputsTest, Yaml) {
  expect_refused("yaml", 13, ConfigUse::kRead);
}

TEST(WrongInputsTest, WhatTrainingNeeds) {
  namespace fs = std::filesystem;
  const fs::path before = fs::current_path(), folder = fs::path(testing::TempDir()) / "weft_wrong_inputs";
  fs::create_directories(folder / "prepared");
  fs::current_path(folder);
  std::ofstream("here.en") << "a\n";
  std::ofstream("here.de") << "a\n";
  ASSERT_EQ(::mkfifo("pipe", 0600), 0);
  expect_refused("train", 14, ConfigUse::kTrain);
  fs::current_path(before);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace weft::test
