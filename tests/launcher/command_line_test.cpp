#include "launcher/command_line.h"

#include "launcher/start/read.h"
#include "tests/launcher/config/config_of.h"
#include "tests/launcher/outcome.h"

namespace weft::test {
namespace {

using Strings = std::vector<std::string>;

const std::string kTiny = WEFT_SOURCE_DIR "/configs/translation_tiny.yaml";

TEST(CommandLineTest, FilesAndSetsKeepTheirOrder) {
  Options options("train", "");
  ConfigOptions config;
  add_config_options(options, config);
  const Strings words{
      "--config", "a.yaml", "b.yaml", "--set", "seed=2", "data.train=[{src: a, tgt: b}]", "-c", "c.yaml", "--set=training.lr=1e-3"};
  EXPECT_FALSE(options.parse(words));
  EXPECT_EQ(config.files, (Strings{"a.yaml", "b.yaml", "c.yaml"}));
  EXPECT_EQ(config.sets, (Strings{"seed=2", "data.train=[{src: a, tgt: b}]", "training.lr=1e-3"}));
  EXPECT_FALSE(config.dump);
}

TEST(CommandLineTest, OptionsOfVerbs) {
  EXPECT_EQ(refusal_of({"prepare", "-c", kTiny, "--set", "data.train=null", "--out", "folder"}).find("--out"), std::string::npos);
  EXPECT_TRUE(outcome_of({"vocab", "-c", kTiny, "--dump-config"}).out.starts_with("task: translation\n"));
  const std::string plan = outcome_of({"plan", "-c", kTiny, "--ranks", "8", "--device-memory", "24"}).out;
  EXPECT_NE(plan.find("each of 8 ranks"), plan.npos) << plan;
  EXPECT_NE(plan.find("21.6 GB\n"), plan.npos) << plan;  // nine tenths
  EXPECT_TRUE(refusal_of({"score", "--model", "run", "--src", "a"}).starts_with("weft: score: --src and --tgt are given together"));
  EXPECT_TRUE(refusal_of({"translate", "--n-best", "0"}).starts_with("weft: translate: --n-best: "));
}

TEST(CommandLineTest, LaunchKeepsTheCommandBehindTheDashes) {
  Options options("launch", "");
  int ranks = 0;
  Strings command{"old"};
  options.whole("-n", ranks, 1, 8, "N", "");
  options.command(command, "");
  EXPECT_FALSE(options.parse(Strings{"-n", "4", "--", "train", "--config", "a.yaml", "-n"}));
  EXPECT_EQ(ranks, 4);
  EXPECT_EQ(command, (Strings{"train", "--config", "a.yaml", "-n"}));
  EXPECT_FALSE(options.parse(Strings{"-n", "4", "--"}));
  EXPECT_TRUE(command.empty());
  EXPECT_TRUE(refusal_of({"launch", "-n", "0", "--", "train"}).starts_with("weft: launch: -n: "));
  const std::string unknown = refusal_of({"launch", "-n", "1", "--", "train", "-c", "a.yaml", "--confg"});
  EXPECT_TRUE(unknown.starts_with("weft: unknown option of train\n  found     --confg\n")) << unknown;
}

TEST(CommandLineTest, HelpTeaches) {
  const std::string help = outcome_of({"--help"}).out;
  for (const Verb& verb : verbs()) EXPECT_NE(help.find("  " + verb.name + " "), help.npos) << verb.name;
  for (const std::string& later : later_verbs()) EXPECT_EQ(help.find(later), help.npos) << later;
  EXPECT_NE(help.find("weft train --config configs/translation.yaml"), help.npos);
  const std::string train = outcome_of({"train", "--help"}).out;
  for (const char* option : {"--config", "--set", "--dump-config"}) EXPECT_NE(train.find(option), train.npos) << option;
}

TEST(CommandLineTest, APathThatOnlyAShellExpandsIsRefusedInEveryOption) {
  setenv("HOME", "/home/me", 1);
  const std::vector<Strings> commands{{"train", "--config", "~/x"},
                                      {"prepare", "--config", "a.yaml", "--out", "~/x"},
                                      {"translate", "--model", "~/x"},
                                      {"score", "--src", "~/x"},
                                      {"score", "--tgt", "~/x"},
                                      {"evaluate", "--hyp", "~/x"},
                                      {"evaluate", "--hyp2", "~/x"},
                                      {"evaluate", "--ref", "a", "~/x"},
                                      {"evaluate", "--src", "~/x"},
                                      {"evaluate", "--config", "a", "~/x"},
                                      {"export", "--model", "~/x"},
                                      {"export", "--out", "~/x"},
                                      {"inspect", "~/x"},
                                      {"launch", "-n", "2", "--hostfile", "~/x"},
                                      {"plan", "--config", "~/x"}};
  for (Strings command : commands) {
    for (const auto& [path, expanded] : {std::pair<std::string, std::string>{"~/x", "/home/me/x"}, {"$HOME/x", "/home/me/x"}}) {
      command.back() = path;
      const std::string text = refusal_of(command);
      EXPECT_NE(text.find("found     " + path + "\n  expected  " + expanded), text.npos) << text;
    }
  }
  EXPECT_TRUE(refusal_of({"inspect", "a~/b$"}).starts_with("weft: a~/b$: no such folder"));
}

TEST(CommandLineTest, HelpForAVerbIsAskedForInThreeWays) {
  const std::string help = outcome_of({"train", "--help"}).out;
  EXPECT_TRUE(help.starts_with("weft train: ")) << help;
  EXPECT_EQ(outcome_of({"help", "train"}).out, help);
  EXPECT_EQ(outcome_of({"--help", "train"}).out, help);
  EXPECT_NE(refusal_of({"help", "trian"}).find("nearest   train"), std::string::npos);
  EXPECT_EQ(outcome_of({"help", "--help"}).out, outcome_of({"help"}).out);
}

TEST(CommandLineTest, MistakesNameWhatIsNearest) {
  const auto text = [](const Strings& arguments) { return refusal([&] { parse_command_line(arguments); }); };
  EXPECT_EQ(text({"trian"}), "weft: unknown verb\n  found     trian\n  expected  a verb; weft --help lists them\n  nearest   train\n");
  EXPECT_EQ(text({"frobnicate"}), "weft: unknown verb\n  found     frobnicate\n  expected  a verb; weft --help lists them\n");
  EXPECT_EQ(text({"--config", "a.yaml"}), "weft: an option before the verb\n  found     --config\n  expected  weft VERB [options]\n");
  EXPECT_EQ(
      text({"train", "--confg", "a.yaml"}),
      "weft: unknown option of train\n  found     --confg\n  expected  weft train --help lists what there is\n  nearest   --config\n");
  EXPECT_EQ(text({"train", "a.yaml"}),
            "weft: unexpected argument of train\n  found     a.yaml\n  expected  weft train --help lists what there is\n");
  EXPECT_EQ(text({"train", "--out", "x"}),
            "weft: unknown option of train\n  found     --out\n  expected  weft train --help lists what there is\n");
  EXPECT_EQ(text({"train", "--profile"}), "weft: train --profile: not supported yet\n");
  for (const std::string& later : later_verbs())
    EXPECT_EQ(text({later}), "weft: " + later + ": not supported yet\n  expected  a verb of weft --help\n");
  EXPECT_EQ(text({"--version", "train"}), "weft: unexpected argument of --version\n  found     train\n");
  EXPECT_TRUE(text({"train", "--config"}).starts_with("weft: train: "));
  EXPECT_TRUE(text({"plan", "--ranks", "0"}).starts_with("weft: plan: "));
  EXPECT_TRUE(text({}).starts_with("weft: no verb\n"));
}

}  // namespace
}  // namespace weft::test
