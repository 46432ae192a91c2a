// The executable: what it exits with, and what goes to stdout and stderr.
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace weft::test {
namespace {

namespace fs = std::filesystem;

class ProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("weft_program_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  int weft(const std::string& arguments) {
    const std::string inside = "cd '" + folder_.string() + "' && '" WEFT_PROGRAM "' " + arguments + " > out 2> err";
    return WEXITSTATUS(std::system(inside.c_str()));
  }
  std::string read(const std::string& name) const {
    std::ifstream in(folder_ / name);
    std::ostringstream whole;
    whole << in.rdbuf();
    return whole.str();
  }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }

  fs::path folder_;
};

TEST_F(ProgramTest, HelpAndVersionGoToStdout) {
  EXPECT_EQ(weft("--version"), 0);
  EXPECT_EQ(read("out"), "weft 0.1.0\n");
  EXPECT_EQ(weft("--help"), 0);
  EXPECT_NE(read("out").find("weft train --config"), std::string::npos);
  EXPECT_EQ(read("err"), "");
}

TEST_F(ProgramTest, WrongInputExitsWith64AndTheWholeMessage) {
  write("c.yaml", "task: translation\ntraining: {warmup_step: 4000}\nmodel: {num_heads: 3}\n");
  EXPECT_EQ(weft("train --config c.yaml --dump-config"), 64);
  EXPECT_EQ(read("out"), "");
  EXPECT_EQ(read("err"),
            "weft: c.yaml:2:12: training.warmup_step: unknown key\n  found     warmup_step: 4000\n  expected  a key of section training\n"
            "  nearest   warmup_steps\n"
            "weft: c.yaml:3:9: model.num_heads: 3 does not divide model.hidden_size = 512\n"
            "  expected  1, 2, 4, 8, 16, 32, 64, 128, 256 or 512, or model.head_dim\n");
  EXPECT_EQ(weft("trian"), 64);
  EXPECT_EQ(weft(""), 64);
  EXPECT_EQ(weft("train"), 64);
  EXPECT_EQ(read("err"), "weft: train: no configuration\n  expected  --config FILE\n");
}

TEST_F(ProgramTest, TheDumpReadsBackAsItself) {
  EXPECT_EQ(weft("train --config " WEFT_SOURCE_DIR "/configs/translation_tiny.yaml --set seed=7 --dump-config"), 0);
  const std::string first = read("out");
  EXPECT_NE(first.find("\nseed: 7\n"), std::string::npos);
  write("again.yaml", first);
  EXPECT_EQ(weft("train --config again.yaml --dump-config"), 0);
  EXPECT_EQ(read("out"), first);
}

TEST_F(ProgramTest, NotesGoToStderr) {
  EXPECT_EQ(weft("train --set task=translation dim-emb=64 --dump-config"), 0);
  EXPECT_EQ(read("err"), "weft: --set: dim_emb: 64 is read as model.hidden_size: 64\n");
}

TEST_F(ProgramTest, AFullDiskBehindStdoutIsAnError) {
  const std::string inside = "'" WEFT_PROGRAM "' train --set task=translation --dump-config > /dev/full 2>/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(inside.c_str())), 1);
}

std::string sentences(const std::string& word) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += word + " " + std::to_string(i % 17) + " and " + word + std::to_string(i % 5) + "\n";
  return text + "\n";  // an empty line: dropped
}

TEST_F(ProgramTest, VocabAndPrepareMakeTheirFiles) {
  write("a.en", sentences("house"));
  write("a.de", sentences("Haus"));
  write("c.yaml",
        "task: translation\nrun_dir: run\ndata: {train: [{src: a.en, tgt: a.de}], valid: {src: a.en, tgt: a.de}}\n"
        "vocab: {vocab_size: 40, byte_fallback: false}\n");
  EXPECT_EQ(weft("vocab --config c.yaml"), 0) << read("err");
  EXPECT_EQ(read("out"), "run/vocab.model\n");
  EXPECT_TRUE(fs::exists(folder_ / "run" / "vocab.model"));
  EXPECT_EQ(fs::status(folder_ / "run").permissions(), fs::perms::owner_all);
  const std::string learned = read("run/vocab.model");
  EXPECT_EQ(weft("vocab --config c.yaml"), 0) << read("err");
  EXPECT_EQ(weft("vocab --config c.yaml --set vocab.vocab_size=41"), 64);  // a run that has begun depends on it
  EXPECT_NE(read("err").find("run/vocab.model: exists already"), std::string::npos);
  EXPECT_EQ(read("run/vocab.model"), learned);
  EXPECT_EQ(weft("prepare --config c.yaml"), 64);
  EXPECT_EQ(weft("prepare --config c.yaml --out prepared --set vocab.src=run/vocab.model"), 0) << read("err");
  EXPECT_EQ(read("out"), "train: 201 pairs, 200 kept; dropped: 1 empty\nvalid: 201 pairs, 200 kept; dropped: 1 empty\n");
  EXPECT_TRUE(fs::exists(folder_ / "prepared" / "prepared.json"));
  EXPECT_EQ(weft("inspect --json prepared"), 0) << read("err");
  EXPECT_TRUE(read("out").starts_with("{\"train\":")) << read("out");
  EXPECT_EQ(weft("prepare --config c.yaml --out other --set vocab.src=run/vocab.model vocab.vocab_size=41"), 64);
  EXPECT_NE(read("err").find("vocab.vocab_size: vocab.src has 40 entries"), std::string::npos) << read("err");
}

TEST_F(ProgramTest, AVocabularyOfWordsFromATabSeparatedFileTrainsAndTranslates) {
  std::string rows;
  for (int i = 0; i < 200; ++i) rows += "Haus" + std::to_string(i % 7) + " da\thouse" + std::to_string(i % 7) + " there now\n";
  write("a.tsv", rows);
  ASSERT_EQ(std::system(("gzip '" + (folder_ / "a.tsv").string() + "'").c_str()), 0);
  write("c.yaml",
        "task: translation\nrun_dir: run\ndata: {train: [{file: a.tsv.gz, columns: [tgt, src]}]}\n"
        "vocab: {type: word, share_vocab: false, vocab_size: 11}\n"
        "model: {hidden_size: 8, ffn_size: 8, num_layers: 1, num_heads: 1, tied_embeddings: none}\n"
        "training: {batch_size: 600, train_steps: 2}\n");
  EXPECT_EQ(weft("train --config c.yaml"), 0) << read("err");
  EXPECT_EQ(read("run/vocab.src.model"), "<unk>\n<s>\n</s>\nnow\nthere\nhouse0\nhouse1\nhouse2\nhouse3\nhouse4\nhouse5\n");
  EXPECT_EQ(weft("inspect --json run"), 0) << read("err");
  EXPECT_TRUE(read("out").starts_with("{\"step\":")) << read("out");
  write("in", "house1 there now\n\nnobody knows\n");
  EXPECT_EQ(weft("translate --model run < in"), 0) << read("err");
  const std::string out = read("out");
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3) << out;
  // Of the same size, and of another model: the numbers would pass for words.
  std::string target = read("run/vocab.tgt.model");
  target.replace(target.find("Haus0"), 5, "Maus0");
  write("run/vocab.tgt.model", target);
  EXPECT_EQ(weft("translate --model run < in"), 64);
  EXPECT_NE(read("err").find("run/vocab.tgt.model: not the vocabulary the model was trained with"), std::string::npos) << read("err");
}

}  // namespace
}  // namespace weft::test
