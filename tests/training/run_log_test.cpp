#include "training/log/run_log.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/temporary_folder.h"

namespace weft {
namespace {

TrainReport report() {
  return {.step = 1000,
          .epoch = 0.31234,
          .loss = 6.94123456789,
          .learning_rate = 1.875e-05,
          .grad_norm = 1.3712345,
          .tokens_per_second = 41250.25,
          .step_ms = 555.125,
          .seconds_left = 54960};
}

TEST(RunLogTest, TheTextLineIsTheOneUsersKnow) {
  EXPECT_EQ(train_event(report()).text,
            "step 1000 epoch 0.31 loss 6.9412 lr 1.875e-05 grad_norm 1.37 tokens/s 41250 step_ms 555 eta 15h16m");
}

TEST(RunLogTest, NumbersReadBackExactly) {
  TrainReport r = report();
  r.loss = 0.1 + 0.2;
  r.grad_norm = std::nextafter(1.0, 2.0);
  const auto json = nlohmann::json::parse(json_line(train_event(r), "2026-11-22 14:11:26"));
  EXPECT_EQ(json["time"], "2026-11-22 14:11:26");
  EXPECT_EQ(json["part"], "train");
  EXPECT_EQ(json["step"].get<std::int64_t>(), 1000);
  EXPECT_EQ(json["loss"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(json["lr"].get<double>(), 1.875e-05);
  EXPECT_EQ(json["grad_norm"].get<double>(), std::nextafter(1.0, 2.0));
  EXPECT_EQ(json["epoch"].get<double>(), 0.31234);
  EXPECT_EQ(json["eta"].get<double>(), 54960);
}

TEST(RunLogTest, StringsAndNonFiniteNumbersStayValidJson) {
  const LogEvent event{
      .part = "valid",
      .text = "",
      .fields = {{"path", std::string("a\"b\\c\nd")}, {"x", std::numeric_limits<double>::infinity()}, {"y", std::nan("")}}};
  const auto json = nlohmann::json::parse(json_line(event, "t"));
  EXPECT_EQ(json["path"], "a\"b\\c\nd");
  EXPECT_EQ(json["x"], "Infinity");
  EXPECT_EQ(json["y"], "NaN");
}

TEST(RunLogTest, LinesAreAppended) {
  const test::TemporaryFolder folder;
  const std::string file = folder.file("run_log.jsonl");
  std::vector<std::string> lines;
  const auto log = [&](std::string_view part, const std::string& text) { lines.push_back(std::string(part) + ": " + text); };
  RunLog(folder.path(), log).write({.part = "save", .text = "step 1 started", .fields = {{"step", std::int64_t{1}}}});
  RunLog(folder.path(), log).write({.part = "save", .text = "step 2 started", .fields = {{"step", std::int64_t{2}}}});
  EXPECT_EQ(lines, (std::vector<std::string>{"save: step 1 started", "save: step 2 started"}));
  std::ifstream in(file);
  std::string first, second, third;
  std::getline(in, first), std::getline(in, second);
  EXPECT_EQ(nlohmann::json::parse(first)["step"], 1);
  EXPECT_EQ(nlohmann::json::parse(second)["step"], 2);
  EXPECT_FALSE(std::getline(in, third));
}

TEST(RunLogTest, AFileThatCannotBeWrittenIsSaidOnce) {
  std::vector<std::string> lines;
  RunLog log("/nonexistent", [&](std::string_view, const std::string& text) { lines.push_back(text); });
  log.write({.part = "train", .text = "one"});
  log.write({.part = "train", .text = "two"});
  EXPECT_EQ(lines,
            (std::vector<std::string>{
                "one", "/nonexistent/run_log.jsonl cannot be written (No such file or directory); training goes on without it", "two"}));
}

TEST(RunLogTest, DurationsAreShort) {
  EXPECT_EQ(duration_text(9.4), "9s");
  EXPECT_EQ(duration_text(725), "12m05s");
  EXPECT_EQ(duration_text(54960), "15h16m");
  EXPECT_EQ(duration_text(359999.9), "100h00m");
}

TEST(RunLogTest, TheLineThatIsDrawnOver) {
  const TrainReport report{.step = 1012, .epoch = 0.312, .loss = -std::nan(""), .tokens_per_second = 41250, .seconds_left = 54960};
  EXPECT_EQ(progress_text(report), "step 1012  epoch 0.31  loss nan  41250 tokens/s  15h16m left");
}

}  // namespace
}  // namespace weft
