#include <algorithm>

#include "launcher/config/keys/key.h"
#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

std::string again(const std::string& dumped) {
  return dump_config(parse_config(dumped, "dump.yaml", ConfigUse::kRead).config);
}

TEST(ConfigDumpTest, ReadsBackAsItself) {
  for (const std::string text :
       {"", "data: {train: [{file: \"a b.tsv\", columns: [tgt, src]}], valid: {file: v.tsv, columns: [src, tgt]}}",
        "preset: transformer-tiny", "preset: transformer-small-prenorm", "preset: transformer-big",
        "run_dir: \"a b\\\\\\\"c: #d\\u00e9\"\nmodel: {num_layers: {encoder: 2, decoder: 3}, norm_eps: 1.2345678901234567e-7}\n"
        "data: {train: [{src: \"a,b\", tgt: \"{c}\"}, {src: ../x, tgt: -y}], valid: {src: \"null\", tgt: \"true\"}}\n"
        "vocab: {type: char}\n"
        "validation: {valid_freq: 2.5Kt, valid_metrics: [loss, perplexity]}\ncheckpoint: {save_freq: 0.1e}\n"
        "training: {train_steps: 12345, stop_time_hours: 0.3, learning_rate: 1e-5, report_freq: 0}"}) {
    SCOPED_TRACE(text);
    const std::string dumped = dump_config(config_of(text));
    EXPECT_EQ(again(dumped), dumped);
  }
}

TEST(ConfigDumpTest, WhatDecodingReadsGoesToAnotherModel) {
  const std::vector<std::string> sets = decoding_sets(config_of("seed: 9\nprecision: {dtype: bf16}\ndecoding: {beam_size: 3}"));
  for (const std::string set : {"seed=9", "precision.dtype=bf16", "decoding.beam_size=3"})
    EXPECT_EQ(std::ranges::count(sets, set), 1) << set;
}

TEST(ConfigDumpTest, EveryKeyIsWrittenOnceUnderItsSection) {
  const std::string dumped = dump_config(config_of(""));
  for (const Section& section : sections()) {
    const std::size_t begin = section.name.empty() ? 0 : dumped.find("\n" + section.name + ":\n");
    ASSERT_NE(begin, dumped.npos) << section.name;
    for (const Key& key : section.keys) {
      const std::string line = (section.name.empty() ? "" : "\n  ") + key.name + ": ";
      EXPECT_NE(dumped.find(line, begin), dumped.npos) << section.name << "." << key.name;
    }
  }
}

TEST(ConfigDumpTest, DefaultsAreTheDocumentedOnes) {
  const std::string dumped = dump_config(config_of(""));
  for (const char* line : {"\nseed: 1\n",
                           "\n  hidden_size: 512\n",
                           "\n  ffn_size: 2048\n",
                           "\n  batch_size: 25000\n",
                           "\n  learning_rate: 0.0003\n",
                           "\n  warmup_steps: 16000\n",
                           "\n  max_grad_norm: 1\n",
                           "\n  report_freq: 100u\n",
                           "\n  valid_freq: 5Ku\n",
                           "\n  keep_checkpoint: 3\n",
                           "\n  max_skipped: 0.05\n",
                           "\n  bucket_size: 100000\n",
                           "\n  vocab_size: 32000\n",
                           "\n  tied_embeddings: all\n",
                           "\n  dropout: 0.1\n",
                           "\n  adam_beta2: 0.98\n",
                           "\n  adam_eps: 1e-09\n",
                           "\n  valid_metrics: [perplexity]\n",
                           "\n  memory_limit: 0.9\n",
                           "\n  hang_timeout: 600\n",
                           "\n  beam_size: 5\n",
                           "\n  max_length_ratio: 3\n",
                           "\n  zero_stage: 1\n",
                           "\n  max_nonfinite: 10\n",
                           "\n  resume: auto\n"}) {
    EXPECT_NE(dumped.find(line), dumped.npos) << line;
  }
}

TEST(ConfigDumpTest, EveryKeyIsDocumented) {
  const std::string reference = key_reference();
  for (const Section& section : sections()) {
    for (const Key& key : section.keys) {
      EXPECT_FALSE(key.help.empty()) << key.name;
      EXPECT_FALSE(key.values.empty()) << key.name;
      EXPECT_EQ(key.help.find('|'), key.help.npos) << key.name;  // would end a cell of the table
      const bool found = reference.find("| `" + key.name + "` | `" + key.write(Config{}) + "` | ") != reference.npos;
      EXPECT_TRUE(found || !key.built) << key.name;
    }
  }
}

}  // namespace
}  // namespace weft::test
