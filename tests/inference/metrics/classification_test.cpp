#include "inference/metrics/classification.h"

#include <gtest/gtest.h>

#include "data/text/text_file.h"
#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft::test {
namespace {

std::vector<std::int32_t> labels(const Json& json) {
  std::vector<std::int32_t> found;
  for (const Json& label : json.as_array()) found.push_back(static_cast<std::int32_t>(label.as_int()));
  return found;
}

void expect_classes(const ConfusionMatrix& found, const Json& expected) {
  for (std::int64_t i = 0; i < found.classes(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Json& one = expected.at("per_class").as_array().at(at);
    EXPECT_NEAR(found.precision(i), one.at("precision").as_double(), 1e-8) << i;
    EXPECT_NEAR(found.recall(i), one.at("recall").as_double(), 1e-8) << i;
    EXPECT_NEAR(found.f1(i), one.at("f1").as_double(), 1e-8) << i;
    EXPECT_EQ(found.support(i), one.at("support").as_int()) << i;
    EXPECT_EQ(found.predicted(i), one.at("predicted").as_int()) << i;
    for (std::int64_t j = 0; j < found.classes(); ++j) {
      const Json& row = expected.at("confusion_matrix").as_array().at(at);
      EXPECT_EQ(found.count(i, j), row.as_array().at(static_cast<std::size_t>(j)).as_int()) << i << ", " << j;
    }
  }
}

TEST(ClassificationTest, EqualsScikitLearn) {
  const std::string path = WEFT_SOURCE_DIR "/tests/golden/metrics/classification.json";
  const Json file = Json::parse(read_whole_file(path), path);
  EXPECT_EQ(file.at("cases").as_array().size(), 10u);
  for (const Json& given : file.at("cases").as_array()) {
    SCOPED_TRACE(given.at("name").as_string());
    const Json& expected = given.at("expected");
    const ConfusionMatrix found(given.at("classes").as_int(), labels(given.at("gold")), labels(given.at("predicted")));
    expect_classes(found, expected);
    EXPECT_NEAR(found.accuracy(), expected.at("accuracy").as_double(), 1e-8);
    EXPECT_NEAR(found.macro_f1(), expected.at("macro_f1").as_double(), 1e-8);
    EXPECT_NEAR(found.matthews(), expected.at("matthews").as_double(), 1e-8);
  }
}

TEST(ClassificationTest, NothingCountedScoresNothing) {
  const ConfusionMatrix none(3);
  EXPECT_EQ(none.accuracy(), 0);
  EXPECT_EQ(none.macro_f1(), 0);
  EXPECT_EQ(none.matthews(), 0);
}

TEST(ClassificationTest, AnUnknownLabelIsAnError) {
  ConfusionMatrix matrix(2);
  EXPECT_THROW(matrix.add(2, 0), Error);
  EXPECT_THROW(matrix.add(0, -1), Error);
}

}  // namespace
}  // namespace weft::test
