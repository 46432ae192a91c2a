#include "data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "data/dataset_format.h"
#include "runtime/error.h"
#include "tests/data/test_dataset.h"

namespace weft::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(DatasetTest, NothingIsThereBeforeTheWriterCommits) {
  const TextFolder folder;
  {
    DatasetWriter writer(folder.path(""), {}, {});
    writer.add({}, {});
    EXPECT_TRUE(std::filesystem::exists(folder.path(".tmp-source.bin")));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path("")));
}

TEST(DatasetTest, FingerprintFollowsTheIdsAndTheCuts) {
  const TestDataset a({{3, 4}, {2, 2}}), same({{3, 4}, {2, 2}}), other_ids({{3, 4}, {2, 3}});
  EXPECT_EQ(a->fingerprint(), same->fingerprint());
  EXPECT_NE(a->fingerprint(), other_ids->fingerprint());
}

TEST(DatasetTest, AFolderWithoutFilesIsAMistakeOfTheUser) {
  const TextFolder folder;
  EXPECT_THAT([&] { Dataset{folder.path("")}; }, ThrowsMessage<Error>(HasSubstr("source.bin: prepared data cannot be read")));
}

TEST(DatasetTest, SidesOfDifferentSetsAreRefused) {
  const TestDataset two({{3, 4}, {2, 2}}), three({{3, 4}, {2, 2}, {1, 1}});
  two.folder().write("set/target.bin", three.folder().read("set/target.bin"));
  EXPECT_THAT([&] { Dataset{two.folder().path("set")}; }, ThrowsMessage<Error>(HasSubstr("source.bin has 2 sentences, target.bin 3")));
}

TEST(DatasetTest, EveryTruncationIsRefused) {
  const TestDataset data(text_lengths(20, 1));
  const std::string whole = data.folder().read("set/source.bin");
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += bytes < 140 ? 1 : 7) {
    data.folder().write("set/source.bin", whole.substr(0, bytes));
    EXPECT_THAT([&] { Dataset{data.folder().path("set")}; }, ThrowsMessage<Error>(HasSubstr("damaged"))) << bytes << " bytes";
  }
  data.folder().write("set/source.bin", whole + "x");
  EXPECT_THAT([&] { Dataset{data.folder().path("set")}; }, ThrowsMessage<Error>(HasSubstr("damaged")));
}

/// Opens the set and reads all of it, as training does.
void read_all(const std::string& folder) {
  const Dataset data(folder);
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    for (const std::int32_t id : data.tokens(i, Side::kSource)) sum += id;
  }
  EXPECT_NE(sum, 0);
  data.verify();
}

TEST(DatasetTest, EveryChangedByteIsFoundAndNothingIsReadOutsideTheFile) {
  const TestDataset data(text_lengths(8, 2));
  const std::string whole = data.folder().read("set/source.bin");
  EXPECT_NO_THROW(read_all(data.folder().path("set")));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const char flip : {'\x01', '\x80'}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      data.folder().write("set/source.bin", damaged);
      EXPECT_THROW(read_all(data.folder().path("set")), Error) << "byte " << at;
    }
  }
}

TEST(DatasetTest, AHeaderThatLiesWithARightChecksumStillReadsNothingOutsideTheFile) {
  const TestDataset data(text_lengths(20, 3));
  const std::string whole = data.folder().read("set/source.bin");
  using dataset_format::Header;
  const auto with = [&](auto change) {
    Header header;
    std::memcpy(&header, whole.data(), sizeof header);
    change(header);
    header.header_checksum = dataset_format::header_checksum(header);
    std::string bytes = whole;
    std::memcpy(bytes.data(), &header, sizeof header);
    data.folder().write("set/source.bin", bytes);
    EXPECT_THROW(read_all(data.folder().path("set")), Error);
  };
  for (const std::int64_t value :
       {std::int64_t{-1}, std::int64_t{0}, std::int64_t{19}, std::int64_t{21}, std::int64_t{1} << 61, INT64_MAX}) {
    with([&](Header& header) { header.sentences = value; });
    with([&](Header& header) { header.tokens = value; });
    with([&](Header& header) { header.sentences = header.tokens = value; });
  }
  with([](Header& header) { header.max_length = 1; });
  with([](Header& header) { header.version = 2; });
}

}  // namespace
}  // namespace weft::test
