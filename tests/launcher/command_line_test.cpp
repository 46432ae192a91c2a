#include "launcher/command_line.h"

#include "launcher/verbs.h"
#include "tests/launcher/config/config_of.h"

namespace weft::test {
namespace {

using Strings = std::vector<std::string>;

TEST(CommandLineTest, FilesAndSetsKeepTheirOrder) {
  const CommandLine line = parse_command_line({"train", "--config", "a.yaml", "b.yaml", "--set", "seed=2", "data.train=[{src: a, tgt: b}]",
                                               "--config", "c.yaml", "--set=training.lr=1e-3"});
  EXPECT_EQ(line.verb, "train");
  EXPECT_EQ(line.config_files, (Strings{"a.yaml", "b.yaml", "c.yaml"}));
  EXPECT_EQ(line.sets, (Strings{"seed=2", "data.train=[{src: a, tgt: b}]", "training.lr=1e-3"}));
  EXPECT_FALSE(line.dump_config);
}

TEST(CommandLineTest, OptionsOfVerbs) {
  EXPECT_EQ(parse_command_line({"prepare", "--config", "a.yaml", "--out", "folder"}).out, "folder");
  EXPECT_TRUE(parse_command_line({"vocab", "--config", "a.yaml", "--dump-config"}).dump_config);
  const CommandLine plan = parse_command_line({"plan", "--config", "a.yaml", "--ranks", "8", "--device-memory", "24"});
  EXPECT_EQ(plan.ranks, 8);
  EXPECT_EQ(plan.device_memory_gb, 24);
  EXPECT_EQ(parse_command_line({"translate", "--model", "run", "--n-best", "3"}).n_best, 3);
  const CommandLine score = parse_command_line({"score", "--model", "run", "--src", "a", "--tgt", "b"});
  EXPECT_EQ(score.source_file, "a");
  EXPECT_EQ(score.target_file, "b");
}

TEST(CommandLineTest, LaunchKeepsTheCommandBehindTheDashes) {
  const CommandLine line =
      parse_command_line({"launch", "-n", "4", "--hostfile", "hosts", "--max-relaunches", "2", "--", "train", "--config", "a.yaml", "-n"});
  EXPECT_EQ(line.ranks, 4);
  EXPECT_EQ(line.hostfile, "hosts");
  EXPECT_EQ(line.max_relaunches, 2);
  EXPECT_EQ(line.command, (Strings{"train", "--config", "a.yaml", "-n"}));
  EXPECT_TRUE(parse_command_line({"launch", "-n", "4", "--"}).command.empty());
  EXPECT_TRUE(refusal([] { parse_command_line({"launch", "-n", "0", "--", "train"}); }).starts_with("weft: launch: -n: "));
}

TEST(CommandLineTest, HelpTeaches) {
  const std::string help = parse_command_line({"--help"}).message;
  for (const Verb& verb : verbs()) EXPECT_NE(help.find(verb.name), help.npos) << verb.name;
  EXPECT_NE(help.find("weft train --config configs/translation.yaml"), help.npos);
  const std::string train = parse_command_line({"train", "--help"}).message;
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
      const std::string text = refusal([&] { parse_command_line(command); });
      EXPECT_NE(text.find("found     " + path + "\n  expected  " + expanded), text.npos) << text;
    }
  }
  EXPECT_EQ(parse_command_line({"inspect", "a~/b$"}).path, "a~/b$");
}

TEST(CommandLineTest, HelpForAVerbIsAskedForInTwoWays) {
  EXPECT_EQ(parse_command_line({"help", "train"}).message, parse_command_line({"train", "--help"}).message);
  EXPECT_NE(refusal([] { parse_command_line({"help", "trian"}); }).find("nearest   train"), std::string::npos);
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
  EXPECT_EQ(text({"doctor"}), "weft: doctor: not supported yet\n  expected  a verb of weft --help\n");
  EXPECT_TRUE(text({"train", "--config"}).starts_with("weft: train: "));
  EXPECT_TRUE(text({"plan", "--ranks", "0"}).starts_with("weft: plan: "));
  EXPECT_TRUE(text({}).starts_with("weft: no verb\n"));
}

}  // namespace
}  // namespace weft::test
