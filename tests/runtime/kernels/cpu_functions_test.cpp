#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/cpu_features.h"
#include "runtime/kernels/cpu/isa/isa.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

struct TestedIsa {
  InstructionSet set;
  const cpu::Isa& isa;
  const char* name;
};

class CpuFunctionsTest : public testing::TestWithParam<TestedIsa> {
 protected:
  void SetUp() override {
    if (instruction_set() < GetParam().set) GTEST_SKIP() << "this processor has " << name(instruction_set());
  }
  std::vector<float> exponential(const std::vector<float>& x) const {
    std::vector<float> y(x.size());
    GetParam().isa.exponential(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
    return y;
  }
};

/// The largest relative error of y = exp(x).
double worst_error(const std::vector<float>& x, const std::vector<float>& y) {
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = std::exp(static_cast<double>(x[i]));
    worst = std::max(worst, std::abs(y[i] - expected) / expected);
  }
  return worst;
}

TEST_P(CpuFunctionsTest, ExponentialIsWithinTwoTenMillionths) {
  std::vector<float> x;
  for (double v = -87.2; v < 88.7; v += 0.0007) x.push_back(static_cast<float>(v));
  const std::vector<float> y = exponential(x);
  EXPECT_LT(worst_error(x, y), 2e-7);
}

TEST_P(CpuFunctionsTest, ExponentialAtTheEnds) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  // So many that they fill vectors, and a few more.
  for (std::size_t count : {1, 16, 37}) {
    for (const auto& [x, expected] : {std::pair{-kInfinity, 0.f},
                                      {-1e30f, 0.f},
                                      {-88.f, 0.f},
                                      {0.f, 1.f},
                                      {89.f, kInfinity},
                                      {1e30f, kInfinity},
                                      {kInfinity, kInfinity}}) {
      for (const float y : exponential(std::vector<float>(count, x))) EXPECT_EQ(y, expected) << "exp(" << x << ")";
    }
    for (const float y : exponential(std::vector<float>(count, std::nanf("")))) EXPECT_TRUE(std::isnan(y));
  }
}

TEST_P(CpuFunctionsTest, ExponentialOfRegistersIsWithinTwoTenMillionths) {
  std::vector<float> x;
  for (double v = -87.2; v < 80; v += 0.0007) x.push_back(static_cast<float>(v));
  std::vector<float> y(x.size());
  GetParam().isa.register_exponential(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  EXPECT_LT(worst_error(x, y), 2e-7);
}

TEST_P(CpuFunctionsTest, ExponentialOfRegistersAtTheEnds) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (std::size_t count : {1, 16, 37}) {
    std::vector<float> y(count);
    const auto run = [&](float x) {
      const std::vector<float> all(count, x);
      GetParam().isa.register_exponential(all.data(), y.data(), static_cast<std::int64_t>(count));
    };
    for (const float x : {-kInfinity, -1e30f, -88.f}) {
      run(x);
      for (const float value : y) EXPECT_EQ(value, 0.f) << "exp(" << x << ")";
    }
    run(std::nanf(""));
    for (const float value : y) EXPECT_TRUE(std::isnan(value));
  }
}

double gelu(double x) {
  return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
}

double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

double slope(double (*f)(double), double x) {
  const double h = 1e-4;
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
}

TEST_P(CpuFunctionsTest, GeluAndItsDerivativeAreWithinAMillionth) {
  std::vector<float> x, ones;
  for (double v = -30; v < 30; v += 0.003) x.push_back(static_cast<float>(v));
  ones.assign(x.size(), 1.f);
  std::vector<float> y(x.size()), dx(x.size());
  const auto size = static_cast<std::int64_t>(x.size());
  const auto row = [size](float* data) { return cpu::Matrix{cpu::Storage::kFloat32, data, 1, size, size}; };
  const auto activate = [&](cpu::Curve curve, float* dy, float* to) {
    GetParam().isa.activate({.curve = curve, .dy = row(dy), .x = row(x.data()), .y = row(to)});
  };
  for (const auto& [curve, f] :
       std::vector<std::pair<cpu::Curve, double (*)(double)>>{{cpu::Curve::kGelu, gelu}, {cpu::Curve::kGeluTanh, gelu_tanh}}) {
    activate(curve, nullptr, y.data());
    activate(curve, ones.data(), dx.data());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double scale = std::max(1.0, std::abs(static_cast<double>(x[i])));
      ASSERT_NEAR(y[i], f(x[i]), 4e-7 * scale) << "gelu at " << x[i];
      ASSERT_NEAR(dx[i], slope(f, x[i]), 1e-6 * scale) << "its derivative at " << x[i];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, CpuFunctionsTest,
                         testing::Values(TestedIsa{InstructionSet::kAvx2, cpu::avx2::isa, "Avx2"},
                                         TestedIsa{InstructionSet::kAvx512, cpu::avx512::isa, "Avx512"}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace weft::test
