#include "launcher/ranks/bf16_probe.h"

#include <cmath>

#include <gtest/gtest.h>

#include "runtime/cpu_features.h"

namespace weft::test {
namespace {

// Which of the two is faster is the processor's matter; that both are measured, in time, is ours.
TEST(Bf16ProbeTest, ARatioIsMeasuredOnEverySetOfThisProcessor) {
  for (const InstructionSet set : {InstructionSet::kAvx2, InstructionSet::kAvx512, InstructionSet::kAmx}) {
    if (set > instruction_set()) break;
    const double speed = bf16_speed(cpu_kernels(set));
    EXPECT_TRUE(std::isfinite(speed)) << name(set);
    EXPECT_GT(speed, 0.01) << name(set);
  }
}

TEST(Bf16ProbeTest, WhatTheUserOrACheckpointChoseIsNotCommented) {
  Machine machine{.kernels = &cpu_kernels(instruction_set()), .dtype = DType::kFloat32};
  EXPECT_EQ(bf16_advice(machine), "");
  machine = {.kernels = &cpu_kernels(instruction_set()), .dtype = DType::kBFloat16, .by_auto = true};
  EXPECT_EQ(bf16_advice(machine), "");
}

}  // namespace
}  // namespace weft::test
