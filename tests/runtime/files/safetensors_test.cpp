#include "runtime/files/safetensors.h"

#include <span>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/error.h"
#include "runtime/random.h"
#include "tests/support/temporary_folder.h"

namespace weft {
namespace {

using test::TemporaryFolder;

std::string with_length(const std::string& header) {
  std::string text(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) text[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return text + header;
}

class SafetensorsTest : public testing::Test {
 protected:
  SafetensorsFile open(const std::string& bytes) {
    test::write_text(path_, bytes);
    return SafetensorsFile(*storage_, path_);
  }
  std::string refusal(const std::string& bytes) {
    try {
      open(bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadInput) << error.what();
      EXPECT_THAT(error.what(), testing::HasSubstr(path_));
      return error.what();
    }
    return "accepted";
  }
  TemporaryFolder folder_;
  std::string path_ = folder_.file("x.safetensors");
  std::unique_ptr<Storage> storage_ = make_posix_storage();
};

std::vector<std::byte> random_bytes(std::int64_t count, std::uint64_t seed) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(random_bits(random_key(seed, "bytes"), i) & 0xff);
  return bytes;
}

TEST_F(SafetensorsTest, WhatIsWrittenIsRead) {
  const std::vector<SafetensorsEntry> entries{{"a.weight", DType::kFloat32, {3, 5}}, {"b/box0", DType::kBFloat16, {7}},
                                              {"C_3-x", DType::kFloat64, {2, 2, 2}}, {"ints", DType::kInt32, {3}},
                                              {"empty", DType::kFloat32, {0, 4}},    {"scalar", DType::kInt64, {}}};
  SafetensorsWriter writer(*storage_, path_, entries, {{"case", "test"}, {"text", "\"quoted\"\n"}});
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::vector<std::byte> data = random_bytes(entries[i].bytes(), i);
    writer.write(std::span(data).first(data.size() / 2));
    writer.write(std::span(data).subspan(data.size() / 2));
  }
  writer.finish();

  const SafetensorsFile file(*storage_, path_);
  EXPECT_EQ(file.file_bytes(), writer.file_bytes());
  EXPECT_EQ(file.header_bytes() % 8, 0);
  EXPECT_EQ(file.metadata("text"), "\"quoted\"\n");
  ASSERT_EQ(file.tensors().size(), entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::vector<std::byte> back(static_cast<std::size_t>(entries[i].bytes()));
    file.read(entries[i].name, Tensor(back.data(), entries[i].shape, entries[i].dtype));
    EXPECT_EQ(back, random_bytes(entries[i].bytes(), i)) << entries[i].name;
    EXPECT_EQ(file.at(entries[i].name).offset, writer.tensors()[i].offset);
  }
  EXPECT_THROW(file.at("missing"), Error);
  std::vector<std::byte> other(60);
  EXPECT_THROW(file.read("a.weight", Tensor(other.data(), {5, 3}, DType::kFloat32)), Error);
}

TEST_F(SafetensorsTest, AWriterMustGetExactlyItsData) {
  const std::vector<std::byte> four(4);
  SafetensorsWriter short_of(*storage_, folder_.file("short"), {{"a", DType::kFloat32, {2}}});
  short_of.write(four);
  EXPECT_THROW(short_of.finish(), Error);
  SafetensorsWriter too_long(*storage_, folder_.file("long"), {{"a", DType::kFloat32, {1}}});
  too_long.write(four);
  EXPECT_THROW(too_long.write(four), Error);
}

TEST_F(SafetensorsTest, RefusesHostileHeaders) {
  const auto one = [&](const std::string& fields, std::size_t data = 8) {
    return refusal(with_length("{\"a\": {" + fields + "}}") + std::string(data, 'x'));
  };
  EXPECT_EQ(one(R"("dtype": "F32", "shape": [2], "data_offsets": [0, 8])"), "accepted");
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [2], "data_offsets": [0, 8])", 9), testing::HasSubstr("the file at"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [2], "data_offsets": [0, 8])", 7), testing::HasSubstr("outside"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [3], "data_offsets": [0, 8])"), testing::HasSubstr("expected 12"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [2], "data_offsets": [8, 0])"), testing::HasSubstr("outside"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [1], "data_offsets": [4, 8])"), testing::HasSubstr("no holes"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [-2], "data_offsets": [0, 8])"), testing::HasSubstr("negative"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 8])"), testing::HasSubstr("64 bits"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [2, 1, 1, 1, 1], "data_offsets": [0, 8])"), testing::HasSubstr("dims"));
  EXPECT_THAT(one(R"("dtype": "F16", "shape": [4], "data_offsets": [0, 8])"), testing::HasSubstr("dtype"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [2.0], "data_offsets": [0, 8])"), testing::HasSubstr("integer"));
  EXPECT_THAT(one(R"("dtype": "F32", "data_offsets": [0, 8])"), testing::HasSubstr("shape"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [2], "data_offsets": [0, 8, 8])"), testing::HasSubstr("expected 2"));
  EXPECT_THAT(one(R"("dtype": "F32", "shape": [2], "data_offsets": [0, 8], "extra": 1)"), testing::HasSubstr("unknown field"));
  EXPECT_THAT(one(R"("dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8])"), testing::HasSubstr("duplicate"));
}

TEST_F(SafetensorsTest, RefusesWrongFiles) {
  const std::string two = R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},)"
                          R"( "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}})";
  EXPECT_THAT(refusal(with_length(two) + "xxxxxx"), testing::HasSubstr("overlap"));
  EXPECT_THAT(refusal(""), testing::HasSubstr("too short"));
  EXPECT_THAT(refusal(std::string(8, '\xff')), testing::HasSubstr("header of"));
  EXPECT_THAT(refusal(with_length("{}").substr(0, 9)), testing::HasSubstr("header of"));
  EXPECT_THAT(refusal(with_length(" {}")), testing::HasSubstr("begin"));
  EXPECT_THAT(refusal(with_length("{]")), testing::HasSubstr("byte"));
  EXPECT_THAT(refusal(with_length(R"({"__metadata__": {"a": 1}})")), testing::HasSubstr("expected a string"));
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("a\\u0000"), std::string("../\\u00e9"), std::string(256, 'a')}) {
    EXPECT_THAT(refusal(with_length("{\"" + name + R"(": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}})")),
                testing::HasSubstr("tensor name"));
  }
  EXPECT_EQ(refusal(with_length("{}")), "accepted");
}

TEST_F(SafetensorsTest, AnyBytesAreReadOrRefused) {
  const std::string good = with_length(R"({"__metadata__": {"k": "v"}, "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},)"
                                       R"( "b": {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]}})") +
                           std::string(32, 'd');
  EXPECT_EQ(refusal(good), "accepted");
  const RandomKey key = random_key(3, "mutations");
  std::uint64_t draw = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (std::uint64_t changes = 1 + random_below(key, draw++, 3); changes > 0; --changes) {
      const std::uint64_t place = random_below(key, draw++, bytes.size() - 32);
      bytes[place] = static_cast<char>(random_below(key, draw++, 256));
    }
    if (round % 4 == 0) bytes.resize(random_below(key, draw++, bytes.size()));
    test::write_text(path_, bytes);
    try {
      const SafetensorsFile file(*storage_, path_);
      std::int64_t total = 0;
      for (const SafetensorsEntry& tensor : file.tensors()) total += tensor.bytes();
      ASSERT_EQ(total, file.file_bytes() - file.header_bytes());
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ExitCode::kBadInput) << error.what();
    }
  }
}

}  // namespace
}  // namespace weft
