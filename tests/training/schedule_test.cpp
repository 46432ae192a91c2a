#include "training/schedule.h"

#include <fstream>
#include <map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runtime/error.h"

namespace weft {
namespace {

using Json = nlohmann::json;

std::int64_t integer(const Json& config, const char* key) {
  return config.contains(key) ? config[key].get<std::int64_t>() : 0;
}

double real(const Json& config, const char* key) {
  return config.contains(key) ? config[key].get<double>() : 0;
}

ScheduleConfig schedule_of(const Json& config) {
  static const std::map<std::string, LrScheduler> kinds = {{"constant", LrScheduler::kConstant},
                                                           {"inverse_sqrt", LrScheduler::kInverseSqrt},
                                                           {"noam", LrScheduler::kInverseSqrt},  // the same curve from 0
                                                           {"cosine", LrScheduler::kCosine},
                                                           {"linear", LrScheduler::kLinear},
                                                           {"wsd", LrScheduler::kWsd}};
  return {.learning_rate = real(config, "peak"),
          .kind = kinds.at(config["schedule"].get<std::string>()),
          .warmup_steps = integer(config, "warmup_steps"),
          .warmup_init_lr = real(config, "warmup_init_lr"),
          .min_lr = real(config, "min_lr"),
          .decay_steps = integer(config, "decay_steps")};
}

TEST(ScheduleTest, MatchesTheGoldenTables) {
  std::ifstream file(WEFT_SOURCE_DIR "/tests/golden/optim/schedules.json");
  const Json tables = Json::parse(file);
  int cases = 0;
  for (const Json& golden : tables["cases"]) {
    const Json& config = golden["config"];
    if (config.contains("decay_shape") && config["decay_shape"] != "linear") continue;  // tails that no key asks for
    ++cases;
    for (const Json& row : golden["table"]) {
      const double expected = row[1].get<double>();
      const double rate = learning_rate(schedule_of(config), row[0].get<std::int64_t>(), integer(config, "total_steps"));
      EXPECT_NEAR(rate, expected, 1e-13 * 1e-3 + 1e-13 * expected) << golden["name"] << " step " << row[0];
    }
  }
  EXPECT_EQ(cases, 12);
}

TEST(ScheduleTest, DecayStepsComesBeforeTrainSteps) {
  const ScheduleConfig linear{.learning_rate = 1, .kind = LrScheduler::kLinear, .warmup_steps = 0, .min_lr = 0, .decay_steps = 10};
  EXPECT_EQ(learning_rate(linear, 5, 1000), 0.5);
  EXPECT_EQ(learning_rate(linear, 11, 1000), 0);
}

TEST(ScheduleTest, MissingLengthsAreBrokenContracts) {
  for (const LrScheduler kind : {LrScheduler::kCosine, LrScheduler::kLinear, LrScheduler::kWsd}) {
    EXPECT_THROW(learning_rate({.kind = kind, .warmup_steps = 0}, 1, 0), Error);
  }
  EXPECT_THROW(learning_rate({}, 0, 10), Error);
}

}  // namespace
}  // namespace weft
