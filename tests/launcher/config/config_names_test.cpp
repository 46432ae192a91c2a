// Names from elsewhere that are read, and the nearest name.
#include "launcher/config/keys/aliases.h"
#include "launcher/config/keys/names.h"
#include "launcher/input/problem.h"
#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

using Notes = std::vector<std::string>;

TEST(ConfigNamesTest, TheSameMeaningIsReadAndNotedOnce) {
  const LoadedConfig loaded =
      load("dim-emb: 64\nmodel: {--transformer-heads: 2}\ntraining: {lr: 1e-3, warmup-updates: 5}\nsave_steps: 10Ku\n");
  EXPECT_EQ(loaded.config.model.hidden_size, 64);
  EXPECT_EQ(loaded.config.model.encoder.num_heads, 2);
  EXPECT_EQ(loaded.config.training.schedule.learning_rate, 1e-3);
  EXPECT_EQ(loaded.config.training.schedule.warmup_steps, 5);
  EXPECT_EQ(loaded.config.training.save_freq.amount, 10000);
  EXPECT_EQ(loaded.notes, (Notes{"c.yaml:2:1: dim_emb: 64 is read as model.hidden_size: 64",
                                 "c.yaml:3:9: transformer_heads: 2 is read as model.num_heads: 2",
                                 "c.yaml:4:12: lr: 1e-3 is read as training.learning_rate: 1e-3",
                                 "c.yaml:4:22: warmup_updates: 5 is read as training.warmup_steps: 5",
                                 "c.yaml:5:1: save_steps: 10Ku is read as checkpoint.save_freq: 10Ku"}));
}

TEST(ConfigNamesTest, OurOwnNamesWithHyphensNeedNoNote) {
  const LoadedConfig loaded = load("model: {hidden-size: 64}\n--seed: 4\n");
  EXPECT_EQ(loaded.config.model.hidden_size, 64);
  EXPECT_EQ(loaded.config.seed, 4);
  EXPECT_TRUE(loaded.notes.empty());
}

TEST(ConfigNamesTest, EveryNameFromElsewhereStandsForAKeyOrSaysWhatToDo) {
  for (const auto& [name, foreign] : foreign_names()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(find_key(name).second, nullptr);
    EXPECT_TRUE(foreign.key.empty() || find_key(foreign.key).second != nullptr);
    EXPECT_EQ(foreign.expected.empty(), foreign.kind == ForeignName::Kind::kSame);
  }
}

TEST(ConfigNamesTest, NearestIsTheSmallestDistanceWithinThreeAndAThird) {
  const std::vector<std::string> names{"warmup_steps", "train_steps", "src", "tgt"};
  EXPECT_EQ(nearest_name("warmup_step", names), "warmup_steps");
  EXPECT_EQ(nearest_name("warmpu_steps", names), "warmup_steps");
  EXPECT_EQ(nearest_name("wormap_stap", names), std::nullopt);
  EXPECT_EQ(nearest_name("scr", names), "src");
  EXPECT_EQ(nearest_name("abc", names), std::nullopt);
  EXPECT_EQ(nearest_name("", names), std::nullopt);
}

}  // namespace
}  // namespace weft::test
