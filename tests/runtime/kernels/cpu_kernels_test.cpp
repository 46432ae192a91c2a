#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/cpu_features.h"
#include "runtime/kernels/table.h"
#include "tests/support/kernel_parity.h"

namespace weft::test {
namespace {

struct TestedKernels {
  InstructionSet set;
  DType dtype;
  const char* name;
};

class CpuKernelsTest : public testing::TestWithParam<TestedKernels> {
 protected:
  void SetUp() override {
    if (instruction_set() < GetParam().set) {
      GTEST_SKIP() << "this processor has " << weft::name(instruction_set()) << ", no " << cpu_kernels(GetParam().set).name;
    }
  }
};

TEST_P(CpuKernelsTest, EveryEntryMatchesTheReference) {
  for (const ParityCase& parity : kernel_parity_cases()) {
    EXPECT_LT(parity.error(cpu_kernels(GetParam().set), GetParam().dtype), 1.0) << parity.name;
  }
}

std::string name_of(const testing::TestParamInfo<TestedKernels>& tested) {
  return tested.param.name;
}

// Double is the reference itself, but reached through the tables.
INSTANTIATE_TEST_SUITE_P(InstructionSets, CpuKernelsTest,
                         testing::Values(TestedKernels{InstructionSet::kAvx2, DType::kFloat32, "Avx2Float32"},
                                         TestedKernels{InstructionSet::kAvx2, DType::kBFloat16, "Avx2BFloat16"},
                                         TestedKernels{InstructionSet::kAvx2, DType::kFloat64, "Avx2Float64"},
                                         TestedKernels{InstructionSet::kAvx512, DType::kFloat32, "Avx512Float32"},
                                         TestedKernels{InstructionSet::kAvx512, DType::kBFloat16, "Avx512BFloat16"},
                                         TestedKernels{InstructionSet::kAvx512, DType::kFloat64, "Avx512Float64"}),
                         name_of);

TEST(CpuFeaturesTest, TablesAreNamedAfterTheirInstructionSet) {
  EXPECT_EQ(cpu_kernels(InstructionSet::kAvx2).name, "cpu (avx2)");
  EXPECT_EQ(cpu_kernels(InstructionSet::kAvx512).name, "cpu (avx512)");
  EXPECT_EQ(cpu_kernels(InstructionSet::kBaseline).name, "reference");
  EXPECT_EQ(cpu_kernels(InstructionSet::kAmx).name, "cpu (amx)");
}

TEST(CpuFeaturesTest, NamesOfInstructionSetsAreReadBack) {
  for (const InstructionSet set : {InstructionSet::kAvx2, InstructionSet::kAvx512, InstructionSet::kAmx}) {
    EXPECT_EQ(parse_instruction_set(name(set)), set);
  }
  EXPECT_EQ(parse_instruction_set("avx"), std::nullopt);
  EXPECT_EQ(parse_instruction_set(name(InstructionSet::kBaseline)), std::nullopt);
}

}  // namespace
}  // namespace weft::test
