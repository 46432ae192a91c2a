#include "launcher/input/yaml_node.h"

#include <fstream>
#include <random>
#include <sstream>

#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

YamlNode parse(const std::string& text) {
  std::vector<Problem> problems;
  const auto node = parse_yaml(text, "a.yaml", problems);
  EXPECT_TRUE(node.has_value()) << problems_text(problems);
  return node.value_or(YamlNode{});
}

TEST(YamlNodeTest, KeepsPositionsQuotesOrderAndDuplicates) {
  const YamlNode root = parse("b: 'x'\n\na: [1, {c: \"2\"}]\nb: null\n");
  ASSERT_EQ(root.keys.size(), 3u);
  EXPECT_EQ(root.keys[0].scalar, "b");
  EXPECT_TRUE(root.items[0].quoted);
  EXPECT_EQ(root.keys[1].at.text(), "a.yaml:3:1");
  EXPECT_FALSE(root.items[1].items[0].quoted);
  EXPECT_EQ(root.items[1].items[1].keys[0].at.text(), "a.yaml:3:9");
  EXPECT_EQ(root.items[2].kind, YamlNode::Kind::kNull);
  EXPECT_EQ(flow_text(root), "{b: \"x\", a: [1, {c: \"2\"}], b: null}");
}

TEST(YamlNodeTest, WhatAUserReadsHoldsNoControlCharacters) {
  EXPECT_EQ(flow_text(parse("a: \"\\e[31m\\n\"")), "{a: \"\\x1b[31m\\x0a\"}");
}

TEST(YamlNodeTest, WindowsLineEndsCommentsAndAnEmptyFileAreFine) {
  EXPECT_EQ(flow_text(parse("a: 1 # one\r\nb:\r\n  - 2\r\n")), "{a: 1, b: [2]}");
  EXPECT_EQ(parse("").kind, YamlNode::Kind::kNull);
  EXPECT_EQ(parse("# nothing\n").kind, YamlNode::Kind::kNull);
}

TEST(YamlNodeTest, QuotesThatCloseAreFineWhereverTheyStand) {
  EXPECT_EQ(parse("a: 'it''s'").items[0].scalar, "it's");
  EXPECT_EQ(parse("é: \"a\\\"b\\\\\"").items[0].scalar, "a\"b\\");
  EXPECT_EQ(parse("\xef\xbb\xbf"
                  "a: \"b\"")
                .items[0]
                .scalar,
            "b");
}

TEST(YamlNodeTest, QuotesThatDoNotCloseAreRefused) {
  for (const std::string text : {"a: \"b", "a: 'b", "a: 'b''", "a: \"b\\\"", "x: {é: \"b\"}\na: \"b\n"}) {
    std::vector<Problem> problems;
    EXPECT_FALSE(parse_yaml(text, "a.yaml", problems)) << text;
    EXPECT_EQ(problems.size(), 1u);
  }
}

TEST(YamlNodeTest, WhateverAFileHoldsIsReadOrRefused) {
  std::ifstream in(WEFT_SOURCE_DIR "/configs/translation.yaml");
  std::ostringstream whole;
  whole << in.rdbuf();
  const std::string good = whole.str();
  ASSERT_GT(good.size(), 1000u);
  std::mt19937 random(1);
  const std::string bytes = "{}[]:,-\"'&*!|>%@`#\n\t \\0aZ\x80\xff?~";
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text = i % 3 == 0 ? good.substr(0, random() % good.size()) : good;
    for (std::size_t change = 0; change < random() % 4 + (i % 3 != 0); ++change) {
      if (!text.empty()) text[random() % text.size()] = bytes[random() % bytes.size()];
    }
    try {
      parse_config(text, "a.yaml", ConfigUse::kRead);
    } catch (const Error& error) {
      ++refused;
      ASSERT_EQ(error.code(), ExitCode::kBadInput) << text;
      ASSERT_TRUE(std::string(error.what()).starts_with("a.yaml:")) << error.what();
    }
  }
  EXPECT_GT(refused, 300);
}

}  // namespace
}  // namespace weft::test
