// Precedence, presets, null, --set.
#include <filesystem>
#include <fstream>

#include "launcher/config/checks.h"
#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

class Files {
 public:
  Files() : folder_(std::filesystem::path(testing::TempDir()) / "weft_config_test") { std::filesystem::create_directories(folder_); }
  ~Files() { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

 private:
  std::filesystem::path folder_;
};

TEST(ConfigTest, LaterSourcesWin) {
  Files files;
  const std::string a =
      files.write("a.yaml", "task: translation\npreset: transformer-tiny\ntraining: {batch_size: 5000, warmup_steps: 7}\n");
  const std::string b = files.write("b.yaml", "training: {warmup_steps: 8, train_steps: 9}\n");
  const Config c = load_config({a, b}, {"training.train_steps=10K", "seed=3"}, ConfigUse::kRead).config;
  EXPECT_EQ(c.model.hidden_size, 128);             // preset
  EXPECT_EQ(c.decoding.batch_size, 4096);          // built in
  EXPECT_EQ(c.training.batch_size, 5000);          // first file over the preset
  EXPECT_EQ(c.training.schedule.warmup_steps, 8);  // second file over the first
  EXPECT_EQ(c.training.limits.train_steps, 10000);
  EXPECT_EQ(c.seed, 3);
}

TEST(ConfigTest, ThePresetMayComeLastAndStaysBelowTheFiles) {
  Files files;
  const std::string file = files.write("a.yaml", "task: translation\npreset: transformer-tiny\nmodel: {num_heads: 16}\n");
  const Config c = load_config({file}, {"preset=transformer-big"}, ConfigUse::kRead).config;
  EXPECT_EQ(c.preset, "transformer-big");
  EXPECT_EQ(c.model.hidden_size, 1024);
  EXPECT_EQ(c.vocab.vocab_size, 32000);
  EXPECT_EQ(c.model.encoder.num_heads, 16);
}

TEST(ConfigTest, NullIsTheDefaultOfPresetAndProgram) {
  const Config c = config_of("preset: transformer-tiny\nmodel: {num_layers: null, max_length: null}\ntraining: null\ndata: {train: null}");
  EXPECT_EQ(c.model.encoder.num_layers, 4);
  EXPECT_EQ(c.model.max_length, 256);
  EXPECT_EQ(c.training.batch_size, 4096);
}

TEST(ConfigTest, NullTakesBackWhatAnEarlierSourceSet) {
  Files files;
  const std::string file = files.write("a.yaml", "task: translation\ntraining: {train_steps: 10, max_epochs: 2}\n");
  const Config c = load_config({file}, {"training.train_steps=null"}, ConfigUse::kRead).config;
  EXPECT_EQ(c.training.limits.train_steps, 0);
  EXPECT_EQ(c.training.limits.max_epochs, 2);
}

TEST(ConfigTest, AnchorsAreExpanded) {
  const Config c = config_of("validation: {valid_freq: &often 3Ku}\ncheckpoint: {save_freq: *often}");
  EXPECT_EQ(c.training.save_freq, (Frequency{Frequency::Unit::kUpdates, 3000}));
}

struct Shape {
  std::string preset;
  std::int64_t layers, hidden, ffn, heads;
  double dropout, rate;
  std::int64_t warmup, batch;
  bool pre;
};

TEST(ConfigTest, PresetsAreThePublishedShapes) {
  for (const Shape& s : {Shape{"transformer-tiny", 4, 128, 256, 4, 0.3, 4e-3, 400, 4096, true},
                         Shape{"transformer-tiny-prenorm", 4, 128, 256, 4, 0.3, 4e-3, 400, 4096, true},
                         Shape{"transformer-small", 6, 512, 1024, 4, 0.3, 5e-4, 4000, 4096, false},
                         Shape{"transformer-base", 6, 512, 2048, 8, 0.1, 3e-4, 16000, 25000, false},
                         Shape{"transformer-base-prenorm", 6, 512, 2048, 8, 0.1, 3e-4, 16000, 25000, true},
                         Shape{"transformer-big", 6, 1024, 4096, 16, 0.1, 2e-4, 8000, 25000, false}}) {
    SCOPED_TRACE(s.preset);
    const Config c = config_of("preset: " + s.preset);
    EXPECT_EQ(c.model.encoder.num_layers, s.layers);
    EXPECT_EQ(c.model.decoder.num_layers, s.layers);
    EXPECT_EQ(c.model.hidden_size, s.hidden);
    EXPECT_EQ(c.model.encoder.ffn_size, s.ffn);
    EXPECT_EQ(c.model.encoder.num_heads, s.heads);
    EXPECT_EQ(c.model.dropout, s.dropout);
    EXPECT_EQ(c.training.schedule.learning_rate, s.rate);
    EXPECT_EQ(c.training.schedule.warmup_steps, s.warmup);
    EXPECT_EQ(c.training.batch_size, s.batch);
    EXPECT_EQ(c.model.norm_position, s.pre ? NormPosition::kPre : NormPosition::kPost);
    EXPECT_EQ(c.model.label_smoothing, 0.1);
    EXPECT_EQ(c.optimizer.max_grad_norm, 0);
    EXPECT_EQ(c.model.tied_embeddings, TiedEmbeddings::kAll);
  }
  EXPECT_EQ(config_of("preset: transformer-tiny").vocab.vocab_size, 8000);
  EXPECT_EQ(config_of("preset: transformer-small").optimizer.weight_decay, 1e-4);
  EXPECT_EQ(config_of("preset: transformer-base").optimizer.ema_decay, 0.9999);
  EXPECT_EQ(config_of("preset: transformer-big").optimizer.adam_beta2, 0.998);
}

TEST(ConfigTest, MistakesOnTheCommandLineSaySo) {
  const auto text = [](const std::string& set) { return refusal([&] { load_config({}, {"task=translation", set}, ConfigUse::kRead); }); };
  EXPECT_EQ(text("training.warmup_step=4000"),
            "weft: --set: training.warmup_step: unknown key\n  found     warmup_step: 4000\n  expected  a key of section training\n"
            "  nearest   warmup_steps\n");
  EXPECT_EQ(text("seed"), "weft: --set: not section.key=value\n  found     seed\n  expected  training.train_steps=100K\n");
  EXPECT_EQ(text("=3"), "weft: --set: not section.key=value\n  found     =3\n  expected  training.train_steps=100K\n");
  EXPECT_EQ(text("model.num_layers={encoder: 3"),
            "weft: --set: model.num_layers: not valid YAML: end of map flow not found\n  found     model.num_layers={encoder: 3\n");
  EXPECT_EQ(text("modle.num_layers=3"),
            "weft: --set: modle: unknown key\n  found     modle: {num_layers: 3}\n  expected  a section or a key above the sections\n"
            "  nearest   model:\n");
}

TEST(ConfigTest, FilesAndCommandLineAreReportedTogether) {
  Files files;
  const std::string a = files.write("a.yaml", "task: translation\nsead: 1\n"), b = files.write("b.yaml", "training: {batch_size: 0}\n");
  EXPECT_EQ(refusal([&] {
              load_config({a, b}, {"model.dropout=2"}, ConfigUse::kRead);
            }),
            "weft: " + a +
                ":2:1: sead: unknown key\n  found     sead: 1\n  expected  a section or a key above the sections\n  nearest   seed\n" +
                "weft: " + b +
                ":1:12: training.batch_size: out of range\n  found     batch_size: 0\n  expected  a whole number, at least 1; K, M, G for "
                "thousands\n" +
                "weft: --set: model.dropout: out of range\n  found     dropout: 2\n  expected  a number, at least 0 and below 1\n");
}

TEST(ConfigTest, FilesThatCannotBeReadAreNamed) {
  EXPECT_EQ(refusal([] {
              load_config({"/nonexistent/a.yaml", "/"}, {}, ConfigUse::kRead);
            }),
            "weft: /nonexistent/a.yaml: no such file\n  expected  a YAML file\nweft: /: a folder\n  expected  a YAML file\n");
  Files files;
  const std::string large = files.write("large.yaml", std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(refusal([&] { load_config({large}, {}, ConfigUse::kRead); }),
            "weft: " + large + ": larger than 1 MiB\n  expected  a configuration\n");
}

TEST(ConfigTest, WhatAPresetOrADumpSaysNeedsNoOtherKey) {
  const Config config = config_of("preset: transformer-big\ntraining: {optimizer: sgd}\nvocab: {src: a.model}\n");
  const std::string text = dump_config(config);
  EXPECT_EQ(dump_config(parse_config(text, "dump.yaml", ConfigUse::kRead).config), text);
  EXPECT_EQ(
      config_of("data: {train: [{src: a, tgt: b}]}\nvalidation: {valid_freq: 0}\ncheckpoint: {keep_best: 0}\n").training.valid_freq.amount,
      0);
}

TEST(ConfigTest, OfAStoredConfigurationOnlyWhatIsSetIsJudged) {
  const std::string text = "task: translation\ndata: {train: [{src: a, tgt: b}]}\nvalidation: {early_stopping: 5}\n";
  const auto load_with = [&](const std::vector<std::string>& sets) {
    return parse_config(text, "manifest.json config", ConfigUse::kStored, sets);
  };
  EXPECT_EQ(load_with({}).config.training.early_stopping.validations, 5);
  EXPECT_EQ(refusal([&] { load_with({"decoding.top_k=4"}); }),
            "weft: --set: decoding.top_k: needs decoding.sample: true\n  found     top_k: 4\n");
}

TEST(ConfigTest, APreparedFolderWithoutValidationTextLeavesItsKeysWithoutEffect) {
  const Config config = config_of("data: {prepared: folder}\nvalidation: {early_stopping: 5}\n");
  EXPECT_EQ(refusal([&] { require_no_validation_keys(config, "folder"); }),
            "weft: validation.early_stopping: needs data.valid\n  found     early_stopping: 5\n"
            "  expected  validation text in folder, which holds none\n");
  require_no_validation_keys(config_of("data: {prepared: folder}\n"), "folder");
}

TEST(ConfigTest, EverySizeTakesThousands) {
  const Config config = config_of(
      "training: {batch_size: 25K, micro_batch_size: 2K}\ndata: {bucket_size: 1M}\nvocab: {vocab_size: 16K}\n"
      "decoding: {batch_size: 8K}\n");
  EXPECT_EQ(config.training.batch_size, 25000);
  EXPECT_EQ(config.training.micro_batch_size, 2000);
  EXPECT_EQ(config.data.bucket_size, 1000000);
  EXPECT_EQ(config.vocab.vocab_size, 16000);
  EXPECT_EQ(config.decoding.batch_size, 8000);
}

}  // namespace
}  // namespace weft::test
