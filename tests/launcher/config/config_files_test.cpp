// The configurations that come with the program.
#include <filesystem>

#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

TEST(ConfigFilesTest, EachLoadsWithoutANoteAndItsDumpReadsBack) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/configs")) {
    if (entry.path().extension() != ".yaml") continue;  // hostfile.example
    SCOPED_TRACE(entry.path());
    const LoadedConfig loaded = load_config({entry.path().string()}, {}, ConfigUse::kRead);
    EXPECT_TRUE(loaded.notes.empty());
    const std::string dumped = dump_config(loaded.config);
    EXPECT_EQ(dump_config(parse_config(dumped, "dump.yaml", ConfigUse::kRead).config), dumped);
    EXPECT_FALSE(loaded.config.run_dir.empty());
    EXPECT_FALSE(loaded.config.data.train.empty());
    ++files;
  }
  EXPECT_GE(files, 5);
}

TEST(ConfigFilesTest, TheTinyOneIsTheTinyPresetWithShortSentences) {
  const Config c = load_config({WEFT_SOURCE_DIR "/configs/translation_tiny.yaml"}, {}, ConfigUse::kRead).config;
  EXPECT_EQ(c.model.hidden_size, 128);
  EXPECT_EQ(c.model.max_length, 64);
  EXPECT_EQ(c.training.limits.max_epochs, 30);
  EXPECT_EQ(c.training.valid_freq, (Frequency{Frequency::Unit::kEpochs, 1}));
}

}  // namespace
}  // namespace weft::test
