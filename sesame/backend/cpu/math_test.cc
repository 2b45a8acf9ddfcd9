#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/math_test.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/element_formulas-inl.h"
#include "sesame/simd/each_instruction_set.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

void apply_exp(const float* x, float* y, int64_t n) { map(n, y, ExpFormula(), x); }
void apply_log(const float* x, float* y, int64_t n) { map(n, y, LogFormula(), x); }
void apply_tanh(const float* x, float* y, int64_t n) { map(n, y, TanhFormula(), x); }
void apply_sigmoid(const float* x, float* y, int64_t n) { map(n, y, SigmoidFormula(), x); }
void apply_erf(const float* x, float* y, int64_t n) { map(n, y, ErfFormula(), x); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(apply_exp);
HWY_EXPORT(apply_log);
HWY_EXPORT(apply_tanh);
HWY_EXPORT(apply_sigmoid);
HWY_EXPORT(apply_erf);

/// A function of this folder, what it should be, and the bound that its comment in math-inl.h states.
struct Function {
  const char* name;
  void (*apply)(const float*, float*, int64_t);
  double (*exact)(double);
  double bound;                  // units in the last place
  bool flushes_to_zero = false;  // results below the smallest normal number may be 0
};

/// How GoogleTest writes one.
void PrintTo(const Function& function, std::ostream* out) { *out << function.name; }

const std::array kFunctions = {
    Function{"exp",
             [](const float* x, float* y, int64_t n) {
               HWY_DYNAMIC_DISPATCH(apply_exp)
               (x, y, n);
             },
             [](double x) { return std::exp(x); }, 1.02, true},
    Function{"log",
             [](const float* x, float* y, int64_t n) {
               HWY_DYNAMIC_DISPATCH(apply_log)
               (x, y, n);
             },
             [](double x) { return std::log(x); }, 1},
    Function{"tanh",
             [](const float* x, float* y, int64_t n) {
               HWY_DYNAMIC_DISPATCH(apply_tanh)
               (x, y, n);
             },
             [](double x) { return std::tanh(x); }, 1.5},
    Function{"sigmoid",
             [](const float* x, float* y, int64_t n) {
               HWY_DYNAMIC_DISPATCH(apply_sigmoid)
               (x, y, n);
             },
             [](double x) { return 1 / (1 + std::exp(-x)); }, 2.5, true},
    Function{"erf",
             [](const float* x, float* y, int64_t n) {
               HWY_DYNAMIC_DISPATCH(apply_erf)
               (x, y, n);
             },
             [](double x) { return std::erf(x); }, 1.5},
};

/// The distance of `actual` from `exact` in units in the last place of a float of exact's size. Infinite where one of
/// them is NaN or infinite and the other is not.
double units_off(float actual, double exact, bool flushes_to_zero) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (std::isnan(exact)) return std::isnan(actual) ? 0 : kInfinity;
  const auto nearest = static_cast<float>(exact);
  if (actual == nearest) return 0;
  if (flushes_to_zero && actual == 0 && std::abs(exact) < std::numeric_limits<float>::min()) return 0;
  // Where the largest finite number ends, either side will do.
  const bool at_the_end = std::abs(static_cast<double>(actual)) >= 0x1.fffffep127 && std::abs(exact) < 0x1.000002p128;
  if (std::isinf(nearest) || std::isinf(actual)) return at_the_end ? 0 : kInfinity;
  const int exponent = static_cast<int>(std::bit_cast<uint64_t>(exact) >> 52 & 0x7FF) - 1023;
  return std::abs(static_cast<double>(actual) - exact) * std::ldexp(1.0, 23 - std::max(exponent, -126));
}

/// The worst error seen, and where.
struct Worst {
  double error = 0;
  float x = 0;
  float got = 0;
};

/// The floats with bit patterns first, first + step, ... below `end`, on every instruction set that this machine has.
void measure(const Function& function, uint64_t first, uint64_t end, uint64_t step,
             std::map<std::string, Worst>& worst) {
  std::vector<float> x;
  std::vector<double> exact;
  for (uint64_t bits = first; bits < end; bits += step) {
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    exact.push_back(function.exact(static_cast<double>(x.back())));
  }
  std::vector<float> y(x.size());
  for_each_instruction_set([&](const char* instructions) {
    function.apply(x.data(), y.data(), static_cast<int64_t>(x.size()));
    Worst& w = worst[instructions];
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = units_off(y[i], exact[i], function.flushes_to_zero);
      if (error > w.error) w = {error, x[i], y[i]};
    }
  });
}

void expect_within_bound(const Function& function, const std::map<std::string, Worst>& worst) {
  EXPECT_FALSE(worst.empty());
  for (const auto& [instructions, w] : worst) {
    EXPECT_LT(w.error, function.bound) << function.name << " " << instructions << " at " << std::hexfloat << w.x << ": "
                                       << w.got << " for " << function.exact(static_cast<double>(w.x));
    testing::Test::RecordProperty(instructions, std::to_string(w.error));
  }
}

class CpuMath : public testing::TestWithParam<Function> {};
INSTANTIATE_TEST_SUITE_P(Functions, CpuMath, testing::ValuesIn(kFunctions),
                         [](const auto& function) { return std::string(function.param.name); });

/// Over four million floats, spread over all bit patterns: both signs, subnormals, NaNs.
TEST_P(CpuMath, IsWithinItsBound) {
  std::map<std::string, Worst> worst;
  measure(GetParam(), 0, uint64_t{1} << 32, 1009, worst);
  expect_within_bound(GetParam(), worst);
}

/// The neighbours of every value at which a formula changes, a result leaves the range of floats or an error is large.
TEST_P(CpuMath, IsWithinItsBoundAtEdges) {
  std::map<std::string, Worst> worst;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float edge : {0.0f,
                           1.0f,
                           0.5f,
                           2.0f,
                           0.70710678f,
                           0.625f,
                           0.92f,
                           4.0f,
                           3.92f,
                           9.01f,
                           88.72284f,
                           88.72283f,
                           87.33655f,
                           87.33654f,
                           103.97f,
                           0x1.782f42p+2f,
                           0x1p-126f,
                           0x1p-12f,
                           std::numeric_limits<float>::max(),
                           kInfinity,
                           std::numeric_limits<float>::quiet_NaN()}) {
    const uint64_t bits = std::bit_cast<uint32_t>(edge);
    for (const uint64_t sign : {uint64_t{0}, uint64_t{1} << 31}) {
      const uint64_t low = bits < 500 ? 0 : bits - 500;
      measure(GetParam(), sign + low, sign + std::min<uint64_t>(bits + 500, 0x7FFFFFFF), 1, worst);
    }
  }
  expect_within_bound(GetParam(), worst);
}

/// All 2^32 floats: some minutes a function. --gtest_also_run_disabled_tests --gtest_filter='*EveryFloat*'
TEST_P(CpuMath, DISABLED_IsWithinItsBoundForEveryFloat) {
  std::map<std::string, Worst> worst;
  constexpr uint64_t kPiece = 1 << 20;
  for (uint64_t first = 0; first < uint64_t{1} << 32; first += kPiece) {
    measure(GetParam(), first, first + kPiece, 1, worst);
  }
  expect_within_bound(GetParam(), worst);
  for (const auto& [instructions, w] : worst) {
    std::printf("%s %s: %.4f at %a\n", GetParam().name, instructions.c_str(), w.error, static_cast<double>(w.x));
  }
}

}  // namespace
}  // namespace sesame
#endif  // HWY_ONCE
