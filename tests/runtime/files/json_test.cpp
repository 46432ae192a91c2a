#include "runtime/files/json.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/error.h"
#include "runtime/random.h"

namespace weft {
namespace {

std::string refusal(std::string_view text, const Json::Limits& limits = {}) {
  try {
    Json::parse(text, limits, "here");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadInput);
    return error.what();
  }
  return "accepted";
}

TEST(JsonTest, ReadsEveryKindAndKeepsTheOrderOfMembers) {
  const Json json = Json::parse(R"({"z": [1, -2.5, "a\n\u00e9", true, null], "a": {}})", "here");
  ASSERT_EQ(json.as_object().size(), 2u);
  EXPECT_EQ(json.as_object()[0].key, "z");
  const Json::Array& z = json.at("z").as_array();
  EXPECT_EQ(z[0].as_int(), 1);
  EXPECT_EQ(z[1].as_double(), -2.5);
  EXPECT_EQ(z[2].as_string(), "a\n\xc3\xa9");
  EXPECT_TRUE(z[3].as_bool());
  EXPECT_TRUE(z[4].is_null());
  EXPECT_EQ(Json::parse(json.dump(), "again"), json);
  EXPECT_EQ(Json::parse(json.dump(2), "again"), json);
  EXPECT_EQ(Json(Json::Array{1, 2.0}).dump(), "[1, 2.0]");
}

TEST(JsonTest, DoublesComeBackWithTheSameBits) {
  const RandomKey key = random_key(1, "doubles");
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const double value = std::bit_cast<double>(random_bits(key, i));
    if (!std::isfinite(value)) continue;
    const Json back = Json::parse(Json(value).dump(), "here");
    ASSERT_TRUE(back.is_double()) << Json(value).dump();
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back.as_double()), std::bit_cast<std::uint64_t>(value));
  }
  for (const double value : {0.0, -0.0, 1e22, 1.0, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()}) {
    const Json back = Json::parse(Json(value).dump(), "here");
    ASSERT_TRUE(back.is_double());
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back.as_double()), std::bit_cast<std::uint64_t>(value));
  }
  EXPECT_TRUE(std::isnan(Json::parse(Json(std::nan("")).dump(), "here").as_double()));
  EXPECT_EQ(Json::parse(Json(-std::numeric_limits<double>::infinity()).dump(), "here").as_double(),
            -std::numeric_limits<double>::infinity());
}

TEST(JsonTest, StringsOfAnyTextComeBack) {
  std::string text;
  for (char c = 0; c < 0x7f; ++c) text += c;
  text += "\x7f\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
  EXPECT_EQ(Json::parse(Json(text).dump(), "here").as_string(), text);
}

TEST(JsonTest, RefusesWhatIsNotOneCompleteValue) {
  for (const std::string text : {"",   "{",  "[1,]", "{\"a\":1,}", "1 2",      "nul",      "'a'",     "{a:1}",       "[1",    "\"a",
                                 "01", "1.", "+1",   "NaN",        "Infinity", "\"\xff\"", "// c\n1", "\"\\ud800\"", "1e999", "-"}) {
    EXPECT_THAT(refusal(text), testing::StartsWith("here")) << text;
  }
  EXPECT_THAT(refusal(R"({"a": 1, "b": {"c": 1, "c": 2}})"), testing::HasSubstr("duplicate key \"c\""));
  EXPECT_THAT(refusal("9223372036854775808"), testing::HasSubstr("does not fit"));
  EXPECT_THAT(refusal("123456789012345678901234567890"), testing::HasSubstr("does not fit"));
  EXPECT_EQ(Json::parse("9223372036854775807", "here").as_int(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(Json::parse("-9223372036854775808", "here").as_int(), std::numeric_limits<std::int64_t>::min());
}

TEST(JsonTest, KeepsItsLimits) {
  EXPECT_THAT(refusal("[1, 2, 3]", {.bytes = 8}), testing::HasSubstr("at most 8"));
  EXPECT_THAT(refusal("[[[]]]", {.depth = 2}), testing::HasSubstr("deeper than 2"));
  EXPECT_THAT(refusal("[1, 2, 3]", {.values = 3}), testing::HasSubstr("more than 3"));
  EXPECT_THAT(refusal(std::string(1'000'000, '[')), testing::HasSubstr("deeper than 64"));
  EXPECT_EQ(refusal("[[1, 2]]", {.bytes = 8, .depth = 2, .values = 4}), "accepted");
}

TEST(JsonTest, AccessorsSayWhatWasFound) {
  const Json json = Json::parse(R"({"a": "text"})", "here");
  EXPECT_THROW(json.at("b"), Error);
  EXPECT_EQ(json.find("b"), nullptr);
  try {
    json.at("a").as_int();
    FAIL() << "a string was taken for an integer";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("expected an integer, found a string"));
  }
}

TEST(JsonTest, AnyBytesAreReadOrRefused) {
  const std::string seed_text = R"({"a": [1, 2.5e-3, "x\u00e9", {"b": null, "c": [true, false]}], "long": -9223372036854775808})";
  const RandomKey key = random_key(2, "mutations");
  std::uint64_t draw = 0;
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed_text;
    for (std::uint64_t changes = 1 + random_below(key, draw++, 4); changes > 0; --changes) {
      const std::uint64_t place = random_below(key, draw++, text.size());
      text[place] = static_cast<char>(random_below(key, draw++, round % 2 == 0 ? 256 : 128));
    }
    if (round % 3 == 0) text.resize(random_below(key, draw++, text.size()));
    try {
      const Json json = Json::parse(text, "here");
      ASSERT_EQ(Json::parse(json.dump(), "again"), json) << text;
      ++accepted;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadInput) << error.what();
    }
  }
  EXPECT_GT(accepted, 100);  // a change inside a string or a number may leave JSON
}

}  // namespace
}  // namespace weft
