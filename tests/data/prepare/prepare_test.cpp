#include "data/prepare/prepare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/prepare/prepared.h"
#include "data/vocabulary/train_vocabulary.h"
#include "runtime/error.h"
#include "tests/data/prepare/small_text.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::int32_t> with_end(std::vector<std::int32_t> ids, std::int32_t eos) {
  ids.push_back(eos);
  return ids;
}

std::vector<std::int32_t> ids_of(const Dataset& data, std::int64_t i, Side side) {
  const auto tokens = data.tokens(i, side);
  return {tokens.begin(), tokens.end()};
}

class PrepareTest : public testing::Test {
 protected:
  PrepareTest() {
    config_.data.train = {{folder_.write("train.en", small_text(300, 1)), folder_.write("train.de", small_text(300, 2))}};
    config_.vocab.vocab_size = 310;
    config_.folder = folder_.path("prepared");
  }
  /// Adds one line to each side.
  void add(const std::string& source, const std::string& target) {
    folder_.write("train.en", folder_.read("train.en") + source + "\n");
    folder_.write("train.de", folder_.read("train.de") + target + "\n");
  }
  auto preparing() {
    return [this] { prepare(config_); };
  }
  TextFolder folder_;
  PrepareConfig config_;
};

TEST_F(PrepareTest, EverySentenceComesBackAsItsIdsWithTheEndToken) {
  config_.data.valid = {folder_.write("val.en", small_text(20, 3)), folder_.write("val.de", small_text(20, 4))};
  const PrepareReport report = prepare(config_);
  EXPECT_EQ(report.train, (PrepareAccount{.lines = 300, .kept = 300}));
  EXPECT_EQ(report.valid, (PrepareAccount{.lines = 20, .kept = 20}));
  const PreparedData prepared = open_prepared(config_.folder, {});
  EXPECT_TRUE(prepared.shared_vocabulary);
  EXPECT_EQ(prepared.train_account, report.train);
  ASSERT_EQ(prepared.train.size(), 300);
  ASSERT_EQ(prepared.valid->size(), 20);
  std::istringstream source(folder_.read("train.en")), target(folder_.read("train.de"));
  std::int64_t source_tokens = 0, longest = 0;
  for (std::int64_t i = 0; i < 300; ++i) {
    std::string en, de;
    std::getline(source, en);
    std::getline(target, de);
    EXPECT_EQ(ids_of(prepared.train, i, Side::kSource), with_end(prepared.source.encode(en), 2)) << i;
    EXPECT_EQ(ids_of(prepared.train, i, Side::kTarget), with_end(prepared.target.encode(de), 2)) << i;
    EXPECT_EQ(prepared.train.lengths(i).source, static_cast<std::int32_t>(prepared.source.encode(en).size()) + 1);
    source_tokens += prepared.train.lengths(i).source;
    longest = std::max<std::int64_t>(longest, prepared.train.lengths(i).source);
  }
  EXPECT_EQ(prepared.train.token_count(Side::kSource), source_tokens);
  EXPECT_EQ(prepared.train.max_length(Side::kSource), longest);
  EXPECT_NO_THROW(prepared.train.verify());
  EXPECT_EQ(read_text(prepared.valid_text.tgt), folder_.read("val.de"));
}

TEST_F(PrepareTest, SeveralCorporaFollowOneAnotherAndVocabulariesMayBeSeparate) {
  config_.data.train.push_back({folder_.write("more.en", "bako\nrihat\n"), folder_.write("more.de", "tul\nmes\n")});
  config_.vocab.share_vocab = false;
  EXPECT_EQ(prepare(config_).train.kept, 302);
  const PreparedData prepared = open_prepared(config_.folder, {});
  EXPECT_FALSE(prepared.shared_vocabulary);
  EXPECT_NE(prepared.source.fingerprint(), prepared.target.fingerprint());
  EXPECT_EQ(ids_of(prepared.train, 301, Side::kTarget), with_end(prepared.target.encode("mes"), 2));
}

TEST_F(PrepareTest, EveryDroppedPairIsCountedUnderItsReason) {
  config_.data.invalid_utf8 = InvalidUtf8::kSkip;
  config_.data.length_ratio = 4;
  config_.limits = {100, 90};
  add("", "ba");
  add("ba", " ");
  add("broken \xff", "ba");
  add(std::string("nul \0", 5), "ba");
  std::string longer = "ba";
  for (int i = 0; i < 120; ++i) longer += " ba";
  add(longer, longer);
  add("ba", "ba ko ri tul mes dan fo lin ge vor hat ba ko ri tul mes dan");
  add(std::string(2'000'000, 'b'), "ba");
  config_.data.max_skipped = 1;
  prepare(config_);
  const PrepareAccount account = open_prepared(config_.folder, {}).train_account;
  EXPECT_EQ(account.lines, 307);
  EXPECT_EQ(account.empty, 2);
  EXPECT_EQ(account.invalid_utf8, 2);
  EXPECT_EQ(account.too_long, 2);
  EXPECT_GE(account.length_ratio, 1);  // made-up lines may be unequal too
  EXPECT_EQ(account.kept, 307 - account.dropped());
  EXPECT_EQ(account.kept, open_prepared(config_.folder, {}).train.size());
  EXPECT_THAT(describe(account),
              AllOf(HasSubstr("307 pairs"), HasSubstr("2 empty"), HasSubstr("2 invalid UTF-8"), HasSubstr("2 too long")));
}

TEST_F(PrepareTest, CropAndReplaceKeepThePair) {
  config_.data.invalid_utf8 = InvalidUtf8::kReplace;
  config_.data.too_long = TooLong::kCrop;
  config_.limits = {200, 7};
  add("broken \xff", "ba ko ri tul mes dan fo lin ge vor hat");
  const PrepareReport report = prepare(config_);
  EXPECT_EQ(report.train.kept, 301);
  EXPECT_EQ(report.train.repaired, 1);
  EXPECT_GT(report.train.cropped, 1);
  const PreparedData prepared = open_prepared(config_.folder, {});
  EXPECT_EQ(prepared.train.max_length(Side::kTarget), 7);
  EXPECT_EQ(prepared.train.lengths(300).target, 7);
  EXPECT_EQ(prepared.train.tokens(300, Side::kTarget).back(), 2);
  EXPECT_EQ(ids_of(prepared.train, 300, Side::kSource), with_end(prepared.source.encode("broken \xEF\xBF\xBD"), 2));
}

TEST_F(PrepareTest, APolicyOfErrorNamesFileAndLine) {
  add("broken \xff", "ba");
  EXPECT_THAT(preparing(),
              ThrowsMessage<Error>(AllOf(HasSubstr("train.en:301: byte 8 (0xff) is not UTF-8"), HasSubstr("data.invalid_utf8"))));
  config_.data.invalid_utf8 = InvalidUtf8::kSkip;
  add("ba", "");
  config_.data.empty = Empty::kError;
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("train.de:302: empty line")));
  config_.data.empty = Empty::kSkip;
  config_.data.too_long = TooLong::kError;
  config_.limits = {200, 3};
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(AllOf(HasSubstr("train.de:"), HasSubstr("longer than model.max_length: 3"))));
  EXPECT_FALSE(std::filesystem::exists(config_.folder + "/prepared.json"));
}

TEST_F(PrepareTest, UnequalLineCountsNameBothFilesAndBothCounts) {
  folder_.write("train.de", small_text(299, 2));
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(AllOf(HasSubstr("train.en has 300 lines"), HasSubstr("train.de has 299"))));
}

TEST_F(PrepareTest, MissingEmptyAndDroppedCorporaAreMistakesOfTheUser) {
  config_.data.train[0].src = folder_.path("none");
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("none: cannot be read")));
  config_.data.train[0].src = folder_.path("");
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("is a directory, expected a text file")));
  config_.data.train[0] = {folder_.write("a", ""), folder_.write("b", "")};
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("empty, there is nothing to prepare")));
  config_.data.train[0] = {folder_.path("train.en"), folder_.path("train.de")};
  config_.limits = {4, 4};
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(AllOf(HasSubstr("data.max_skipped allows 5.00 %"), HasSubstr("too long"))));
  config_.data.train.clear();
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("data.train: no files are named")));
}

TEST_F(PrepareTest, GivenVocabulariesAreUsedAndOthersRefusedWithBothFingerprints) {
  train_vocabulary({folder_.path("train.en")}, {.vocab_size = 305}, InvalidUtf8::kError, folder_.path("mine.model"));
  train_vocabulary({folder_.path("train.en")}, {.vocab_size = 306}, InvalidUtf8::kError, folder_.path("other.model"));
  config_.vocab.src = folder_.path("mine.model");
  prepare(config_);
  const PreparedData prepared = open_prepared(config_.folder, {.src = folder_.path("mine.model")});
  EXPECT_EQ(prepared.target.size(), 305);
  const auto fingerprint = [&](const std::string& name) {
    return fmt::format("{:016x}", Vocabulary::load(folder_.path(name)).fingerprint());
  };
  const auto both = AllOf(HasSubstr(fingerprint("mine.model")), HasSubstr(fingerprint("other.model")));
  EXPECT_THAT([&] { open_prepared(config_.folder, {.tgt = folder_.path("other.model")}); }, ThrowsMessage<Error>(both));
  std::filesystem::copy_file(folder_.path("other.model"), config_.folder + "/vocab.model",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT([&] { open_prepared(config_.folder, {}); }, ThrowsMessage<Error>(both));
  config_.vocab.tgt = folder_.path("other.model");
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("share_vocab: false")));
}

TEST_F(PrepareTest, IsPreparedFollowsTheContentOfFilesAndTheSettings) {
  EXPECT_NE(check_prepared(config_).state, PreparedState::kWhole);
  prepare(config_);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  PrepareConfig moved = config_;
  std::filesystem::copy_file(folder_.path("train.en"), folder_.path("copy.en"));
  moved.data.train[0].src = folder_.path("copy.en");
  EXPECT_EQ(check_prepared(moved).state, PreparedState::kWhole);
  PrepareConfig other = config_;
  other.limits.target = 100;
  EXPECT_NE(check_prepared(other).state, PreparedState::kWhole);
  add("ba", "ko");
  EXPECT_NE(check_prepared(config_).state, PreparedState::kWhole);
}

TEST_F(PrepareTest, AnotherValidationTextLeavesTheTrainingDataAlone) {
  prepare(config_);
  const std::string path = config_.folder + "/train/target.bin";
  const auto before = std::filesystem::last_write_time(path);
  folder_.write("more.en", small_text(40, 7));
  folder_.write("more.de", small_text(40, 8));
  config_.data.valid = {.src = folder_.path("more.en"), .tgt = folder_.path("more.de")};
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kOtherValid);
  const PrepareReport report = prepare(config_);
  EXPECT_EQ(report.train.lines, 300);
  EXPECT_EQ(report.valid.lines, 40);
  EXPECT_EQ(std::filesystem::last_write_time(path), before);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  EXPECT_EQ(open_prepared(config_.folder, {}).valid->size(), report.valid.kept);
  std::string bytes = folder_.read("prepared/train/target.bin");
  bytes[bytes.size() - 3] ^= 1;
  folder_.write("prepared/train/target.bin", bytes);
  prepare(config_);
  open_prepared(config_.folder, {}).train.verify();  // what is damaged does not stay
}

TEST_F(PrepareTest, AVocabularyThatNormalisesTheTargetIsWarnedOf) {
  for (int i = 0; i < 6; ++i) add("ba", "ko，ri");
  EXPECT_THAT(prepare(config_).warnings, testing::IsEmpty());
  config_.vocab.normalization = TextNormalization::kNfkc;
  EXPECT_NE(check_prepared(config_).state, PreparedState::kWhole);
  EXPECT_THAT(prepare(config_).warnings, testing::ElementsAre(AllOf(HasSubstr("train.de: the vocabulary normalises 2.0 % of the lines"),
                                                                    HasSubstr("vocab.normalization: identity"))));
  EXPECT_FALSE(learned_with_nmt_nfkc(config_.folder));
  config_.vocab.normalization = TextNormalization::kNmtNfkc;  // all that there was once, so prepared.json does not say it
  prepare(config_);
  EXPECT_TRUE(learned_with_nmt_nfkc(config_.folder));
  EXPECT_THAT(folder_.read("prepared/prepared.json"), testing::Not(HasSubstr("normalization")));
}

TEST_F(PrepareTest, TheSameInputGivesTheSameBytes) {
  prepare(config_);
  const std::uint64_t first = open_prepared(config_.folder, {}).train.fingerprint();
  config_.folder = folder_.path("again");
  prepare(config_);
  EXPECT_EQ(open_prepared(config_.folder, {}).train.fingerprint(), first);
  EXPECT_EQ(folder_.read("prepared/train/target.bin"), folder_.read("again/train/target.bin"));
  EXPECT_EQ(folder_.read("prepared/prepared.json"), folder_.read("again/prepared.json"));
}

TEST_F(PrepareTest, AnEarlierPreparationStaysValidWhenANewOneFails) {
  prepare(config_);
  const PrepareConfig before = config_;
  const std::string json = folder_.read("prepared/prepared.json");
  const std::string text = folder_.read("train.en"), other = folder_.read("train.de");
  add("ba", "ko");
  config_.data.valid = {folder_.write("val.en", "\n\n"), folder_.write("val.de", "\n\n")};
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(AllOf(HasSubstr("val.en"), HasSubstr("2 empty"))));  // after the new train/ was written
  EXPECT_EQ(folder_.read("prepared/prepared.json"), json);
  folder_.write("train.en", text);
  folder_.write("train.de", other);
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("val.en")));  // with the training data as they are
  EXPECT_EQ(check_prepared(before).state, PreparedState::kWhole);
  EXPECT_FALSE(std::filesystem::exists(config_.folder + "/.preparing"));
}

TEST_F(PrepareTest, ADeathBetweenTheRenamesIsMadeUpForByTheNextLook) {
  prepare(config_);
  const PrepareConfig before = config_;
  config_.folder = folder_.path("new");
  config_.vocab.vocab_size = 305;
  prepare(config_);
  const std::string staging = before.folder + "/.preparing";
  std::filesystem::create_directories(staging + "/train");
  for (const std::string name : {"/vocab.model", "/train/source.bin", "/train/target.bin", "/prepared.json"}) {
    std::filesystem::rename(config_.folder + name, staging + name);
  }
  EXPECT_NO_THROW(open_prepared(before.folder, {}).train.verify());  // nothing is renamed yet: what was there is whole
  std::filesystem::remove(before.folder + "/prepared.json");
  std::filesystem::rename(staging + "/train/source.bin", before.folder + "/train/source.bin");
  EXPECT_THAT([&] { open_prepared(before.folder, {}); }, ThrowsMessage<Error>(HasSubstr("the preparation was interrupted")));
  config_.folder = before.folder;
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  EXPECT_EQ(open_prepared(config_.folder, {}).source.size(), 305);
  EXPECT_FALSE(std::filesystem::exists(staging));
}

TEST_F(PrepareTest, WhatNoPreparationWroteIsNeverReplaced) {
  config_.data.valid = {folder_.write("val.en", small_text(20, 3)), folder_.write("val.de", small_text(20, 4))};
  for (const std::string name : {"valid/text.src", "valid/source.bin", "train/target.bin"}) {
    config_.folder = folder_.path("of-" + std::string(1, name[0]) + std::to_string(name.size()));
    std::filesystem::create_directories(std::filesystem::path(config_.folder + "/" + name).parent_path());
    write_text(config_.folder + "/" + name, "mine\n");
    EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr(name + ": exists already and was not written by a preparation")));
    EXPECT_EQ(read_text(config_.folder + "/" + name), "mine\n");
  }
  config_.folder = folder_.path("mixed");
  prepare(config_);
  folder_.write("mixed/valid/text.tgt", "edited\n");
  config_.limits.target = 100;
  EXPECT_THAT(preparing(), ThrowsMessage<Error>(HasSubstr("valid/text.tgt: exists already")));
  folder_.write("mixed/valid/notes", "mine\n");
  std::filesystem::remove(config_.folder + "/valid/text.tgt");
  prepare(config_);
  config_.data.valid = {};
  prepare(config_);
  EXPECT_FALSE(std::filesystem::exists(config_.folder + "/valid/text.src"));
  EXPECT_EQ(folder_.read("mixed/valid/notes"), "mine\n");
}

TEST_F(PrepareTest, AVocabularyThatLiesReadyIsUsedWhereItFitsAndElseRefused) {
  VocabConfig mine = config_.vocab;
  const std::string other_text = folder_.write("other", small_text(400, 9));
  std::filesystem::create_directories(config_.folder);
  const std::string path = config_.folder + "/vocab.model";
  train_vocabulary({other_text}, mine, InvalidUtf8::kError, path);
  const std::string bytes = read_text(path);
  prepare(config_);
  EXPECT_EQ(read_text(path), bytes);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  const auto refused = [&](VocabConfig vocab, const std::string& found, const std::string& expected) {
    config_.folder = folder_.path("refused");
    std::filesystem::create_directories(config_.folder);
    train_vocabulary({other_text}, vocab, InvalidUtf8::kError, config_.folder + "/vocab.model");
    const std::string before = read_text(config_.folder + "/vocab.model");
    EXPECT_THAT(preparing(), ThrowsMessage<Error>(AllOf(HasSubstr("refused/vocab.model: exists already"),
                                                        HasSubstr("found     " + found + "\n"), HasSubstr("expected  " + expected + ";"))));
    EXPECT_EQ(read_text(config_.folder + "/vocab.model"), before);
  };
  refused({.algorithm = VocabAlgorithm::kUnigram, .vocab_size = 309}, "vocab.vocab_size: 309, vocab.algorithm: unigram",
          "vocab.vocab_size: 310, vocab.algorithm: bpe");
  refused({.vocab_size = 310, .character_coverage = 0.99, .normalization = TextNormalization::kNfkc},
          "vocab.character_coverage: 0.99, vocab.normalization: nfkc", "vocab.character_coverage: 1, vocab.normalization: identity");
  refused({.vocab_size = 40, .byte_fallback = false}, "vocab.vocab_size: 40, vocab.byte_fallback: false",
          "vocab.vocab_size: 310, vocab.byte_fallback: true");
  refused({.type = VocabType::kChar, .vocab_size = 20}, "vocab.type: a character vocabulary, vocab.vocab_size: 20",
          "vocab.type: a SentencePiece vocabulary, vocab.vocab_size: 310");
  std::filesystem::remove_all(config_.folder);
  config_.ready.source = folder_.write("run.model", bytes);  // in a run directory
  prepare(config_);
  EXPECT_EQ(folder_.read("refused/vocab.model"), bytes);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  train_vocabulary({other_text, folder_.path("train.en")}, mine, InvalidUtf8::kError, config_.ready.source);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kOther);
}

TEST_F(PrepareTest, AChangedByteIsFoundOnceTheTimesOfTheFileChange) {
  prepare(config_);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  std::string bytes = folder_.read("prepared/train/source.bin");
  const std::string whole = bytes;
  bytes[200] ^= 1;
  folder_.write("prepared/train/source.bin", bytes);
  const PreparedCheck found = check_prepared(config_);
  EXPECT_EQ(found.state, PreparedState::kDamaged);
  EXPECT_THAT(found.damage, HasSubstr("train/source.bin: is not as it was prepared"));
  EXPECT_EQ(check_prepared_folder(config_.folder).state, PreparedState::kDamaged);
  prepare(config_);
  EXPECT_EQ(folder_.read("prepared/train/source.bin"), whole);
}

TEST_F(PrepareTest, APreparationThatIsKilledDoesNotCountAndIsDoneAgain) {
  prepare(config_);
  const std::string whole = folder_.read("prepared/train/source.bin");
  add("ba", "ko");  // a second preparation into the same folder, killed at growing times
  for (int milliseconds : {0, 2, 5, 10, 15, 20, 30}) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      prepare(config_);
      _exit(0);
    }
    usleep(static_cast<useconds_t>(milliseconds) * 1000);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    if (!std::filesystem::exists(config_.folder + "/prepared.json")) {
      EXPECT_THAT([&] { open_prepared(config_.folder, {}); }, ThrowsMessage<Error>(HasSubstr("the preparation was interrupted")));
    } else {
      EXPECT_NO_THROW(open_prepared(config_.folder, {}).train.verify());
    }
  }
  prepare(config_);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  EXPECT_EQ(open_prepared(config_.folder, {}).train.size(), 301);
  EXPECT_NE(folder_.read("prepared/train/source.bin"), whole);
}

}  // namespace
}  // namespace weft::test
