#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

using Unit = Frequency::Unit;

TEST(ConfigValuesTest, CountsTakeThousands) {
  const auto steps = [](const std::string& text) { return config_of("training: {train_steps: " + text + "}").training.limits.train_steps; };
  EXPECT_EQ(steps("100"), 100);
  EXPECT_EQ(steps("100K"), 100'000);
  EXPECT_EQ(steps("2.5M"), 2'500'000);
  EXPECT_EQ(steps("3G"), 3'000'000'000);
}

TEST(ConfigValuesTest, FrequenciesTakeUnits) {
  const auto frequency = [](const std::string& text) { return config_of("validation: {valid_freq: " + text + "}").training.valid_freq; };
  EXPECT_EQ(frequency("500"), (Frequency{Unit::kUpdates, 500}));
  EXPECT_EQ(frequency("500u"), (Frequency{Unit::kUpdates, 500}));
  EXPECT_EQ(frequency("10Ku"), (Frequency{Unit::kUpdates, 10'000}));
  EXPECT_EQ(frequency("10K"), (Frequency{Unit::kUpdates, 10'000}));
  EXPECT_EQ(frequency("2.5Gt"), (Frequency{Unit::kTokens, 2.5e9}));
  EXPECT_EQ(frequency("0.5e"), (Frequency{Unit::kEpochs, 0.5}));
  EXPECT_EQ(frequency("1e"), (Frequency{Unit::kEpochs, 1}));
  EXPECT_EQ(frequency("0"), (Frequency{Unit::kUpdates, 0}));
}

TEST(ConfigValuesTest, NumbersTakeOneValueOrOneForEachStack) {
  const Config one = config_of("model: {num_layers: 3}"), two = config_of("model: {ffn_size: {decoder: 64, encoder: 32}}");
  EXPECT_EQ(one.model.encoder.num_layers, 3);
  EXPECT_EQ(one.model.decoder.num_layers, 3);
  EXPECT_EQ(two.model.encoder.ffn_size, 32);
  EXPECT_EQ(two.model.decoder.ffn_size, 64);
}

TEST(ConfigValuesTest, RealsTakeExponents) {
  EXPECT_EQ(config_of("training: {learning_rate: 3.0e-4}").training.schedule.learning_rate, 3e-4);
  EXPECT_EQ(config_of("training: {adam_eps: 1e-9}").optimizer.adam_eps, 1e-9);
  EXPECT_EQ(config_of("training: {weight_decay: 1}").optimizer.weight_decay, 1);
}

TEST(ConfigValuesTest, WordsThatStandForNoNumber) {
  const Config c = config_of("training: {micro_batch_size: auto, accum_count: auto}\nparallel: {data: auto}\ndecoding: {max_length: null}");
  EXPECT_EQ(c.training.micro_batch_size, 0);
  EXPECT_EQ(c.parallel.data, 0);
  EXPECT_EQ(c.decoding.max_length, 0);
}

TEST(ConfigValuesTest, APathThatOnlyAShellExpandsIsRefusedWithItsExpandedForm) {
  setenv("HOME", "/home/me", 1);
  setenv("WEFT_TEST_DATA", "/data", 1);
  const auto says = [](const std::string& text) { return refusal([&] { config_of(text); }); };
  EXPECT_EQ(says("run_dir: ~/runs/x"),
            "weft: c.yaml:2:1: run_dir: a path that is not expanded here\n  found     run_dir: ~/runs/x\n  expected  /home/me/runs/x\n");
  for (const std::string key :
       {"data: {prepared: %}", "data: {train: [{src: %, tgt: b}]}", "data: {valid: {src: a, tgt: %}}",
        "data: {train: [{file: %, columns: [src, tgt]}]}", "vocab: {src: %}", "vocab: {tgt: %}", "checkpoint: {resume: %}", "run_dir: %"}) {
    for (const auto& [path, expanded] : {std::pair<std::string, std::string>{"~/a", "/home/me/a"},
                                         {"\"$WEFT_TEST_DATA/${HOME}\"", "/data//home/me"},
                                         {"a/$WEFT_TEST_NONE/b", "a/(WEFT_TEST_NONE is not set)/b"},
                                         {"~nobody-of-that-name", "./~nobody-of-that-name"}}) {
      std::string text = key;
      const std::string found = says(text.replace(text.find('%'), 1, path));
      EXPECT_NE(found.find("expected  " + expanded), found.npos) << found;
    }
  }
  EXPECT_EQ(config_of("run_dir: a~b/$/$1").run_dir, "a~b/$/$1");
}

TEST(ConfigValuesTest, SeveralTrainingFilesAndWeightOne) {
  const Config c = config_of("data: {train: [{src: a.en, tgt: a.de}, {tgt: b.de, src: b.en, weight: 1.0}], valid: {src: v.en, tgt: v.de}}");
  ASSERT_EQ(c.data.train.size(), 2u);
  EXPECT_EQ(c.data.train[1].src, "b.en");
  EXPECT_EQ(c.data.train[1].tgt, "b.de");
  EXPECT_EQ(c.data.valid.tgt, "v.de");
}

TEST(ConfigValuesTest, OneTabSeparatedFileWithItsColumnsInEitherOrder) {
  const Config c = config_of("data: {train: [{file: a.tsv, columns: [src, tgt]}, {columns: [tgt, src], file: b.tsv}]}");
  EXPECT_EQ(c.data.train, (std::vector<ParallelText>{{.file = "a.tsv"}, {.file = "b.tsv", .target_first = true}}));
}

TEST(ConfigValuesTest, TextsMayBeQuotedOrLookLikeNumbers) {
  EXPECT_EQ(config_of("run_dir: \"my runs/a: b\"").run_dir, "my runs/a: b");
  EXPECT_EQ(config_of("run_dir: 12").run_dir, "12");
  EXPECT_EQ(config_of("run_dir: \"null\"").run_dir, "null");
}

TEST(ConfigValuesTest, EveryChoiceReachesItsMember) {
  const Config c = config_of(
      "training: {optimizer: sgd, lr_scheduler: constant, batch_type: sents, normalization: sents, on_nonfinite: stop, recompute: block}\n"
      "model: {activation: gelu_tanh, norm_position: pre, positions: learned, embedding_scale: none, tied_embeddings: decoder}\n"
      "data: {too_long: crop, empty: error, invalid_utf8: replace}\nvocab: {algorithm: unigram}\nprecision: {dtype: bf16}\n"
      "parallel: {zero_stage: 2}\ndevice: cpu\nvalidation: {valid_metrics: [loss, perplexity]}");
  EXPECT_EQ(c.optimizer.kind, OptimizerKind::kSgd);
  EXPECT_EQ(c.training.schedule.kind, LrScheduler::kConstant);
  EXPECT_EQ(c.training.batch_type, BatchType::kSents);
  EXPECT_EQ(c.training.normalization, Normalization::kSents);
  EXPECT_EQ(c.training.on_nonfinite, OnNonFinite::kStop);
  EXPECT_TRUE(c.model.recompute_blocks);
  EXPECT_EQ(c.model.activation, FfnActivation::kGeluTanh);
  EXPECT_EQ(c.model.norm_position, NormPosition::kPre);
  EXPECT_EQ(c.model.positions, Positions::kLearned);
  EXPECT_EQ(c.model.embedding_scale, EmbeddingScale::kNone);
  EXPECT_EQ(c.model.tied_embeddings, TiedEmbeddings::kDecoder);
  EXPECT_EQ(c.data.too_long, TooLong::kCrop);
  EXPECT_EQ(c.data.empty, Empty::kError);
  EXPECT_EQ(c.data.invalid_utf8, InvalidUtf8::kReplace);
  EXPECT_EQ(c.vocab.algorithm, VocabAlgorithm::kUnigram);
  EXPECT_EQ(c.dtype, Precision::kBf16);
  EXPECT_EQ(c.parallel.zero_stage, 2);
  EXPECT_EQ(c.device, DeviceChoice::kCpu);
  EXPECT_EQ(c.training.valid_metrics, (std::vector<std::string>{"loss", "perplexity"}));
}

}  // namespace
}  // namespace weft::test
