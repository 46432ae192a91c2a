#include "launcher/start/run_files.h"

#include <filesystem>

#include "tests/launcher/config/config_of.h"
#include "tests/support/temporary_folder.h"

namespace weft::test {
namespace {

namespace fs = std::filesystem;

class RunFilesTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(folder_.file(name)).parent_path());
    write_text(folder_.file(name), text);
    return text;
  }
  std::string read(const std::string& name) { return read_text(folder_.file(name)); }
  TemporaryFolder folder_;
};

TEST_F(RunFilesTest, WhatTheRunWroteIsWrittenAnewAndNothingElse) {
  RunFiles first(folder_.path(), false);
  first.write("config.yaml", "a");
  first.write("config.yaml", "b");
  RunFiles second(folder_.path(), false);
  second.require_own("config.yaml", "c");
  second.write("config.yaml", "a");
  EXPECT_EQ(read("config.yaml"), "a");
  write("config.yaml", "mine");
  second.write("config.yaml", "mine");
  const std::string says = refusal([&] { second.write("config.yaml", "a"); });
  EXPECT_NE(says.find("config.yaml: exists already and was not written by this run"), says.npos) << says;
  EXPECT_EQ(read("config.yaml"), "mine");
}

TEST_F(RunFilesTest, ARunBeginsOnlyWhereItsNamesAreFree) {
  for (const std::string name : {"best.json", "flight/rank-0.txt", "valid/step-000000000005.txt"}) {
    write(name, "mine");
    EXPECT_FALSE(refusal([&] { RunFiles(folder_.path(), false); }).empty()) << name;
    fs::remove_all(folder_.file(name.substr(0, name.find('/'))));
  }
  write("valid/notes", "mine");
  RunFiles begun(folder_.path(), false);
  write("best.json", "the run's");
  RunFiles again(folder_.path(), false);
}

TEST_F(RunFilesTest, ARunFromBeforeTheListOwnsWhatIsThere) {
  write("config.yaml", "old");
  write("vocab.model", "learned");
  write("best.json", "{}");
  RunFiles files(folder_.path(), true);
  files.write("config.yaml", "new");
  EXPECT_EQ(read("config.yaml"), "new");
  write("vocab.model", "mine");
  EXPECT_FALSE(refusal([&] { RunFiles(folder_.path(), true).write("vocab.model", "learned"); }).empty());
}

TEST_F(RunFilesTest, AVocabularyThatTheRunDidNotWriteLiesReady) {
  EXPECT_TRUE(RunFiles(folder_.path(), false).ready_vocabularies(true).source.empty());
  write("vocab.src.model", "mine");
  RunFiles files(folder_.path(), false);
  files.write("vocab.model", "learned");
  EXPECT_TRUE(files.ready_vocabularies(true).source.empty());
  EXPECT_EQ(files.ready_vocabularies(false).source, folder_.file("vocab.src.model"));
  EXPECT_TRUE(files.ready_vocabularies(false).target.empty());
  EXPECT_EQ(RunFiles(folder_.path(), true).ready_vocabularies(true).source, folder_.file("vocab.model"));
}

}  // namespace
}  // namespace weft::test
