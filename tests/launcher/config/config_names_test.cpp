// Names from elsewhere that are read, and the nearest name.
#include <cmath>

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

TEST(ConfigNamesTest, DepthsAndWidthsOfStacks) {
  const Config marian = config_of("enc-depth: 12\ndec-depth: 3");
  EXPECT_EQ(marian.model.encoder.num_layers, 12);
  EXPECT_EQ(marian.model.decoder.num_layers, 3);
  const Config fairseq = config_of(
      "encoder-embed-dim: 256\ndecoder-embed-dim: 256\nencoder-ffn-embed-dim: 1024\ndecoder-layers: 2\nencoder-normalize-before: true\n"
      "decoder-normalize-before: true\nshare-all-embeddings: true");
  EXPECT_EQ(fairseq.model.hidden_size, 256);
  EXPECT_EQ(fairseq.model.encoder.ffn_size, 1024);
  EXPECT_EQ(fairseq.model.decoder.ffn_size, 2048);
  EXPECT_EQ(fairseq.model.decoder.num_layers, 2);
  EXPECT_EQ(fairseq.model.norm_position, NormPosition::kPre);
  EXPECT_EQ(fairseq.model.tied_embeddings, TiedEmbeddings::kAll);
}

TEST(ConfigNamesTest, MarianFilesAndLimits) {
  const LoadedConfig loaded = load(
      "train-sets: [a.en, a.de]\nvalid-sets: [v.en, v.de]\nvocabs: [v.spm, v.spm]\nafter: 100Ku\noptimizer-params: [0.9, 0.98, 1e-8]\n"
      "exponential-smoothing: 1e-4\ntied-embeddings-all: true\ntransformer-preprocess: n\n");
  const Config& c = loaded.config;
  ASSERT_EQ(c.data.train.size(), 1u);
  EXPECT_EQ(c.data.train[0].tgt, "a.de");
  EXPECT_EQ(c.data.valid.src, "v.en");
  EXPECT_EQ(c.vocab.src, "v.spm");
  EXPECT_EQ(c.vocab.tgt, "v.spm");
  EXPECT_EQ(c.training.limits.train_steps, 100'000);
  EXPECT_EQ(c.optimizer.adam_eps, 1e-8);
  EXPECT_EQ(c.optimizer.ema_decay, 0.9999);
  EXPECT_EQ(c.model.norm_position, NormPosition::kPre);
  EXPECT_EQ(loaded.notes[0], "c.yaml:2:1: train_sets: [a.en, a.de] is read as data.train: [{src: a.en, tgt: a.de}]");
  EXPECT_EQ(loaded.notes[3], "c.yaml:5:1: after: 100Ku is read as training.train_steps: 100K");
}

TEST(ConfigNamesTest, LimitsByUnit) {
  EXPECT_EQ(config_of("after: 10e").training.limits.max_epochs, 10);
  EXPECT_EQ(config_of("after: 2Gt").training.limits.max_tokens_seen, 2'000'000'000);
}

TEST(ConfigNamesTest, OtherForms) {
  EXPECT_EQ(config_of("normalize: 0.6").decoding.alpha, 0.6);
  EXPECT_EQ(config_of("adam-betas: \"(0.9, 0.95)\"").optimizer.adam_beta2, 0.95);
  EXPECT_EQ(config_of("exponential-smoothing: true").optimizer.ema_decay, 0.9999);
  EXPECT_EQ(config_of("exponential-smoothing: false").optimizer.ema_decay, 0);
  EXPECT_EQ(config_of("model: {tied-embeddings: true}").model.tied_embeddings, TiedEmbeddings::kDecoder);
  EXPECT_EQ(config_of("share-decoder-input-output-embed: true").model.tied_embeddings, TiedEmbeddings::kDecoder);
  EXPECT_EQ(config_of("bf16: true").dtype, Precision::kBf16);
  EXPECT_EQ(config_of("precision: {dtype: fp32}\nbf16: false\nfp16: false").dtype, Precision::kFp32);
  EXPECT_TRUE(config_of("gradient_checkpointing: true").model.recompute_blocks);
  EXPECT_FALSE(config_of("use_ckpting: false").model.recompute_blocks);
}

TEST(ConfigNamesTest, ANoamFactorBecomesThePeak) {
  const LoadedConfig loaded = load("decay_method: noam\nmodel: {hidden_size: 512}\ntraining: {learning_rate: 2, warmup_steps: 8000}\n");
  EXPECT_DOUBLE_EQ(loaded.config.training.schedule.learning_rate, 2 / std::sqrt(512.0 * 8000));
  EXPECT_EQ(loaded.config.training.schedule.kind, LrScheduler::kInverseSqrt);
  EXPECT_EQ(loaded.notes.back(),
            "c.yaml:2:1: decay_method: noam makes training.learning_rate: 2 a factor; the peak is 0.0009882 = 2 / sqrt(512 x 8000)");
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
