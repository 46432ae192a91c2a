#include "state/parameter_storage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "parallel/mesh.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

TEST(ParameterStorageTest, OnlyConstantsAreMadeForWeightsThatAreLoaded) {
  for (const StorageUse use : {StorageUse::kTraining, StorageUse::kInference}) {
    TestContext ctx;
    ParameterSet set(1);
    const ParameterScope scope(set, "part", 0);
    const Parameter& weight = scope.add("weight", {5, 4}, Init::xavier_uniform());
    const Parameter& positions = scope.add_constant("position.weight", {3, 4}, Init::sinusoidal());
    set.lay_out();
    const Mesh mesh = make_single_mesh();
    ParameterStorage storage(set, *mesh.dp, ctx.context().device, DType::kFloat32, use);
    std::ranges::fill(storage.values().span<float>(), 7.0f);
    storage.initialize_constants(ctx);
    for (const double value : to_doubles(weight.value)) EXPECT_EQ(value, 0);
    const std::vector<double> found = to_doubles(positions.value);
    EXPECT_NEAR(found[4], std::sin(1), 1e-6);      // position 1
    EXPECT_NEAR(found[11], std::cos(0.02), 1e-6);  // position 2, the pair of 10000^(-1/2)
    storage.initialize(ctx);
    EXPECT_NE(to_doubles(weight.value)[0], 0);
    EXPECT_EQ(to_doubles(positions.value), found);
  }
}

/// An angle of a far position needs more digits than bfloat16 has.
TEST(ParameterStorageTest, WideConstantsKeepTheSumType) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    TestContext ctx;
    ParameterSet set(1);
    const ParameterScope scope(set, "part", 0);
    scope.add("weight", {5, 4}, Init::xavier_uniform());
    const Parameter& before = scope.add_wide_constant("rotation", {300, 6}, Init::rotary(100));
    const Parameter& after = scope.add_constant("position.weight", {3, 4}, Init::sinusoidal());
    set.lay_out();
    const Mesh mesh = make_single_mesh();
    ParameterStorage storage(set, *mesh.dp, ctx.context().device, dtype, StorageUse::kTraining);
    storage.initialize(ctx);
    ASSERT_EQ(before.value.dtype, DType::kFloat32);
    const std::vector<double> found = to_doubles(before.value);
    EXPECT_NEAR(found[299 * 6], std::cos(299), 1e-5);
    EXPECT_NEAR(found[299 * 6 + 3], std::sin(299), 1e-5);
    EXPECT_NEAR(to_doubles(after.value)[4], std::sin(1), 1e-2);
  }
}

}  // namespace
}  // namespace weft::test
