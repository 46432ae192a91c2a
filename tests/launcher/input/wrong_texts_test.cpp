// What `weft prepare` says about text that is not as it should be, and what it exits with: a table.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Case {
  std::string name;
  std::string en, de;  // the text
  std::string config;  // further settings
  int exit;
  std::string says;     // on stderr: the whole of it where the exit code is 64, else a part
  std::string account;  // the first line on stdout
};

/// `lines` lines of two words.
std::string words(int lines, const std::string& end = "\n") {
  std::string text;
  for (int i = 0; i < lines; ++i) text += "one" + std::to_string(i % 7) + " two" + std::to_string(i % 5) + end;
  return text;
}

std::string repeated(const std::string& word, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += word;
  return text;
}

const std::string kWord = "vocab: {type: word, vocab_size: 8}\n";
const std::string kExample = words(20);
// clang-format off
const std::vector<Case> kCases = {
    {"unequal bitext", words(20), words(19), kWord, 64,
     "weft: a.en has 20 lines, a.de has 19: parallel files need equally many (a line ends in LF and in nothing else)\n", ""},
    {"empty corpus", "", "", kWord, 64, "weft: a.en, a.de: empty, there is nothing to prepare\n", ""},
    {"every line is too long", kExample, kExample, kWord + "model: {max_length: 2}\n", 64,
     "weft: a.en, a.de: no pair is left\n"
     "  found     a.en, a.de: 20 pairs, 0 kept; dropped: 20 too long\n"
     "  expected  pairs of at most model.max_length = 2 tokens; data.too_long: crop keeps the beginning\n", ""},
    {"every line is empty on one side", kExample, repeated("\n", 20), kWord, 64,
     "weft: a.en, a.de: no pair is left\n"
     "  found     a.en, a.de: 20 pairs, 0 kept; dropped: 20 empty\n"
     "  expected  text on both sides of a pair\n", ""},
    {"every line is too unequal", repeated("a\n", 9) + "b c d e f\n", repeated("a b c d e f g h\n", 10), kWord + "data: {length_ratio: 1.2}\n", 64,
     "weft: a.en, a.de: no pair is left\n"
     "  found     a.en, a.de: 10 pairs, 0 kept; dropped: 10 beyond the length ratio\n"
     "  expected  pairs within data.length_ratio\n", ""},
    {"more dropped than allowed", kExample, words(18) + "\n\n", kWord, 64,
     "weft: a.en, a.de: 10.00 % dropped, data.max_skipped allows 5.00 %\n"
     "  found     a.en, a.de: 20 pairs, 18 kept; dropped: 2 empty\n"
     "  expected  text on both sides of a pair\n", ""},
    {"as many dropped as allowed", kExample, words(18) + "\n\n", kWord + "data: {max_skipped: 0.1}\n", 0, "",
     "train: 20 pairs, 18 kept; dropped: 2 empty"},
    {"not UTF-8", kExample, words(19) + "a \xC3\x28\n", kWord, 64,
     "weft: a.de:20: byte 3 (0xc3) is not UTF-8, as in Latin-1 or another 8-bit encoding\n"
     "  expected  UTF-8; data.invalid_utf8: skip drops such lines, replace repairs them\n", ""},
    {"Latin-1, skipped", kExample, words(19) + "Gr\xFC\xDF" "e\n", kWord + "data: {invalid_utf8: skip}\n", 0, "",
     "train: 20 pairs, 19 kept; dropped: 1 invalid UTF-8"},
    {"NUL", kExample, words(19) + std::string("a\0b\n", 4), kWord, 64,
     "weft: a.de:20: byte 2 (0x00) is NUL\n  expected  UTF-8; data.invalid_utf8: skip drops such lines, replace repairs them\n", ""},
    {"Latin-1 in every line, with pieces", kExample, repeated("Gr\xFC\xDF" "e\n", 20), "vocab: {vocab_size: 270}\n", 64,
     "weft: a.de:1: byte 3 (0xfc) is not UTF-8, as in Latin-1 or another 8-bit encoding\n"
     "  expected  UTF-8; data.invalid_utf8: skip drops such lines, replace repairs them\n", ""},
    {"Latin-1 in every line, replaced", kExample, repeated("Gr\xFC\xDF" "e\n", 20), "vocab: {vocab_size: 278}\ndata: {invalid_utf8: replace}\n", 0, "",
     "train: 20 pairs, 20 kept; 20 repaired"},
    {"UTF-16", kExample, repeated(std::string("\xff\xfe" "a\0\n\0", 6), 20), kWord + "data: {invalid_utf8: replace}\n", 64,
     "weft: a.de:1: the file looks like UTF-16\n  expected  UTF-8: iconv -f UTF-16 -t UTF-8\n", ""},
    {"CR alone", words(20, "\r"), words(20, "\r"), kWord + "data: {too_long: crop}\n", 64,
     "weft: a.en:1: 19 CR inside 1 line: its lines end in CR alone, as on old Macs\n  expected  lines that end in LF: tr '\\r' '\\n'\n", ""},
    {"another packer", std::string("\xFD" "7zXZ\0\0\4", 8), kExample, kWord, 64, "weft: a.en: a file packed by xz\n  expected  plain text or gzip\n", ""},
    {"NUL, replaced", kExample, words(19) + std::string("a\0b\n", 4), kWord + "data: {invalid_utf8: replace}\n", 0, "",
     "train: 20 pairs, 20 kept; 1 repaired"},
    {"Windows line ends", words(20, "\r\n"), kExample, kWord, 0,
     "[prepare] warning: a.en: 20 of 20 lines end in CR LF, as on Windows; the CR is removed\n", "train: 20 pairs, 20 kept"},
    {"no line end at the end", kExample.substr(0, kExample.size() - 1), words(20), kWord, 0, "", "train: 20 pairs, 20 kept"},
    {"U+2028 and U+0085 end no line", words(19) + "a\xE2\x80\xA8" "b\xC2\x85" "c\n", words(20), kWord, 0, "", "train: 20 pairs, 20 kept"},
    {"a line of 100,000 tokens", words(19) + repeated("one1 ", 100'000) + "\n", words(20), kWord, 0, "",
     "train: 20 pairs, 19 kept; dropped: 1 too long"},
    {"a line of 100,000 tokens, refused", words(19) + repeated("one1 ", 100'000) + "\n", words(20), kWord + "data: {too_long: error}\n", 64,
     "weft: a.en:20: 100001 tokens with the end token, longer than model.max_length: 256\n", ""},
    {"one line", "one two five\n", "three four\n", "vocab: {type: word, vocab_size: 8}\n", 0, "", "train: 1 pairs, 1 kept"},
    {"one line is too little for pieces", "one two\n", "three four\n", "vocab: {vocab_size: 32000, byte_fallback: false}\n", 64,
     "weft: vocab.vocab_size: 32000 cannot be learned from a.en, a.de (2 lines): Vocabulary size too high (32000). Please set it to a value <= ", ""},
    {"more words than the text has", kExample, kExample, "vocab: {type: word, vocab_size: 100}\n", 64,
     "weft: vocab.vocab_size: 100 cannot be learned from a.en, a.de (40 lines): it has 12 different words, with the special entries 15; please "
     "set it to a value <= 15\n", ""},
    {"a text with itself", kExample, kExample, kWord, 0,
     "[prepare] warning: data.train[0]: a.en, a.de: source and target are the same text\n", "train: 20 pairs, 20 kept"},
    {"a text given twice", kExample, words(20, " x\n"), kWord + "data: {train: [{src: a.en, tgt: a.de}, {src: a.en, tgt: a.de}]}\n", 0,
     "[prepare] warning: data.train[1]: a.en, a.de: the same text as data.train[0]: it counts twice\n", "train: 40 pairs, 40 kept"},
    {"a folder for a file", kExample, kExample, kWord + "data: {train: [{src: folder, tgt: a.de}]}\n", 64,
     "weft: more.yaml:2:17: data.train[0].src: a folder\n  found     folder\n  expected  a file\n", ""},
    {"a pipe", kExample, kExample, kWord + "data: {valid: {src: a.en, tgt: pipe}}\n", 64,
     "weft: more.yaml:2:27: data.valid.tgt: a pipe or a device\n  found     pipe\n  expected  a file, since it is read more than once\n", ""},
    {"a damaged gzip file", "\x1f\x8b\x08 no", kExample, kWord, 64, "weft: a.en: cannot be read after line 0: ", ""},
    {"a list without its special entries", kExample, kExample, "vocab: {type: word, src: a.en}\n", 64,
     "weft: a.en:1: a blank inside an entry\n  expected  a vocabulary: one entry a line, or the .model file of SentencePiece\n", ""},
    {"a vocabulary without an end", kExample, kExample, "vocab: {type: word, src: words.txt}\n", 64,
     "weft: words.txt: the vocabulary has no </s>\n  expected  <unk>, <s> and </s>, each on a line of its own\n", ""},
    {"a vocabulary of another language", kExample, kExample, "vocab: {type: word, src: foreign.txt}\n", 0,
     "[prepare] warning: a.en: 100.0 % of the tokens are unknown to the vocabulary", "train: 20 pairs, 20 kept"},
};
// clang-format on

class WrongTextsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("weft_wrong_texts_" + std::to_string(getpid()));
    fs::create_directories(folder_ / "folder");
    write("words.txt", "<unk>\n<s>\none\n");
    write("foreign.txt", "<unk>\n<s>\n</s>\nuno\n");
    ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  }
  void TearDown() override { fs::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder_ / name, std::ios::binary) << text; }
  std::string read(const std::string& name) const {
    std::ostringstream whole;
    whole << std::ifstream(folder_ / name).rdbuf();
    return whole.str();
  }
  int prepare(const std::string& further, const std::string& program = "'" WEFT_PROGRAM "'") const {
    write("c.yaml", "task: translation\ndata: {train: [{src: a.en, tgt: a.de}]}\n");
    write("more.yaml", further);
    fs::remove_all(folder_ / "out");
    const std::string inside = "cd '" + folder_.string() + "' && timeout 60 " + program +
                               " prepare --config c.yaml --config more.yaml --out out > stdout 2> stderr";
    return WEXITSTATUS(std::system(inside.c_str()));
  }
  fs::path folder_;
};

TEST_F(WrongTextsTest, EachIsAnsweredAsTheTableSays) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    write("a.en", c.en);
    write("a.de", c.de);
    EXPECT_EQ(prepare(c.config), c.exit);
    const std::string stderr_text = read("stderr"), stdout_text = read("stdout");
    if (c.exit == 64 && c.says.ends_with('\n')) {
      EXPECT_EQ(stderr_text, c.says);
    } else {
      EXPECT_THAT(stderr_text, HasSubstr(c.says));
    }
    EXPECT_EQ(stdout_text.substr(0, stdout_text.find('\n')), c.account);
    EXPECT_EQ(fs::exists(folder_ / "out" / "prepared.json"), c.exit == 0);
    EXPECT_FALSE(fs::exists(folder_ / "out" / ".preparing"));
  }
}

TEST_F(WrongTextsTest, AFileThatMayNotBeReadIsRefused) {
  write("a.en", kExample);
  write("a.de", kExample);
  ASSERT_EQ(chmod((folder_ / "a.de").c_str(), 0), 0);
  fs::copy_file(WEFT_PROGRAM, folder_ / "weft");  // where another user may run it, since root reads everything
  EXPECT_EQ(prepare(kWord, geteuid() == 0 ? "setpriv --reuid 65534 --clear-groups ./weft" : "./weft"), 64);
  EXPECT_EQ(read("stderr"),
            "weft: c.yaml:2:28: data.train[0].tgt: cannot be read\n  found     a.de\n  expected  a file this user may read\n");
}

TEST_F(WrongTextsTest, OneWarningEvenWhereEveryLineIsWrong) {
  write("a.en", words(20, "\r\n"));
  write("a.de", words(20, "\r\n"));
  EXPECT_EQ(prepare("vocab: {type: word, src: foreign.txt}\n"), 0);
  std::string text = read("stderr");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5) << text;  // CR and unknown words of either file, and equal sides
}

}  // namespace
}  // namespace weft::test
