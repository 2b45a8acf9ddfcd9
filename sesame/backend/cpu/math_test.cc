#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/math_test.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/each_instruction_set.h"
#include "sesame/backend/cpu/math-inl.h"
#include "sesame/backend/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

void apply_exp(const float* x, float* y, int64_t n) {
  map(
      n, y, [](FloatVec v) HWY_ATTR { return Exp(FloatTag(), v); }, x);
}
void apply_log(const float* x, float* y, int64_t n) {
  map(
      n, y, [](FloatVec v) HWY_ATTR { return Log(FloatTag(), v); }, x);
}
void apply_tanh(const float* x, float* y, int64_t n) {
  map(
      n, y, [](FloatVec v) HWY_ATTR { return Tanh(FloatTag(), v); }, x);
}
void apply_sigmoid(const float* x, float* y, int64_t n) {
  map(
      n, y, [](FloatVec v) HWY_ATTR { return Sigmoid(FloatTag(), v); }, x);
}

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

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// About two million floats, spread over all bit patterns: both signs, subnormals, infinities, NaNs.
std::vector<float> all_kinds_of_floats() {
  std::vector<float> x = {0.0f, -0.0f, 1.0f, -1.0f, kInfinity, -kInfinity, kNaN, 0.625f, 88.72284f, -87.33655f};
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 2003) {
    const auto word = static_cast<uint32_t>(bits);
    float value = 0;
    std::memcpy(&value, &word, sizeof value);
    x.push_back(value);
  }
  return x;
}

/// The error in units in the last place of the float nearest to `exact`. Results below the smallest normal number may
/// be 0.
double ulps(float actual, double exact) {
  if (std::isnan(exact)) return std::isnan(actual) ? 0 : kInfinity;
  const auto nearest = static_cast<float>(exact);
  if (actual == nearest) return 0;
  if (std::isinf(nearest) || std::isinf(actual)) {
    // Where the largest finite number ends, either side will do within the bound.
    return std::abs(static_cast<double>(actual) - exact) <= 0x1p104 * 4 ? 0 : kInfinity;
  }
  if (std::abs(exact) < std::numeric_limits<float>::min() && std::abs(actual) <= std::numeric_limits<float>::min())
    return 0;
  const double unit = std::ldexp(1.0, std::max(std::ilogb(exact), -126) - 23);
  return std::abs(static_cast<double>(actual) - exact) / unit;
}

/// The worst error of `f` against `exact` over all kinds of floats, on every instruction set that this machine has.
template <typename F>
void expect_error_below(double bound, F&& apply, double (*exact)(double)) {
  const std::vector<float> x = all_kinds_of_floats();
  std::vector<float> y(x.size());
  for_each_instruction_set([&](const char* instructions) {
    apply(x.data(), y.data(), static_cast<int64_t>(x.size()));
    double worst = 0;
    float at = 0, got = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = ulps(y[i], exact(static_cast<double>(x[i])));
      if (!(error <= worst)) {
        worst = error;
        at = x[i];
        got = y[i];
      }
    }
    EXPECT_LT(worst, bound) << instructions << " at " << at << ": " << got << " for " << exact(static_cast<double>(at));
    testing::Test::RecordProperty(instructions, std::to_string(worst));
  });
}

TEST(CpuMath, ExpIsWithinItsBound) {
  expect_error_below(
      1,
      [](const float* x, float* y, int64_t n) {
        HWY_DYNAMIC_DISPATCH(apply_exp)
        (x, y, n);
      },
      [](double x) { return std::exp(x); });
}

TEST(CpuMath, LogIsWithinItsBound) {
  expect_error_below(
      1,
      [](const float* x, float* y, int64_t n) {
        HWY_DYNAMIC_DISPATCH(apply_log)
        (x, y, n);
      },
      [](double x) { return std::log(x); });
}

TEST(CpuMath, TanhIsWithinItsBound) {
  expect_error_below(
      1.5,
      [](const float* x, float* y, int64_t n) {
        HWY_DYNAMIC_DISPATCH(apply_tanh)
        (x, y, n);
      },
      [](double x) { return std::tanh(x); });
}

TEST(CpuMath, SigmoidIsWithinItsBound) {
  expect_error_below(
      2.5,
      [](const float* x, float* y, int64_t n) {
        HWY_DYNAMIC_DISPATCH(apply_sigmoid)
        (x, y, n);
      },
      [](double x) { return 1 / (1 + std::exp(-x)); });
}

}  // namespace
}  // namespace sesame
#endif  // HWY_ONCE
