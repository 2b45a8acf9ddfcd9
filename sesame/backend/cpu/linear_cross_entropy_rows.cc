#include "sesame/backend/cpu/linear_cross_entropy_rows.h"

#include <cmath>
#include <limits>
#include <numeric>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/linear_cross_entropy_rows.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/simd/math-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

/// Independent partial results, so that the latency of one operation does not hold up the next.
constexpr int kParts = 4;

float row_max(const float* row, int64_t classes) {
  const FloatTag d;
  constexpr float kLowest = -std::numeric_limits<float>::infinity();
  FloatVec parts[kParts] = {hn::Set(d, kLowest), hn::Set(d, kLowest), hn::Set(d, kLowest), hn::Set(d, kLowest)};
  int64_t v = 0;
  for (; v + kParts * kLanes <= classes; v += kParts * kLanes) {
    for (int part = 0; part < kParts; ++part) {
      parts[part] = hn::Max(parts[part], hn::LoadU(d, row + v + part * kLanes));
    }
  }
  float largest = max_of(hn::Max(hn::Max(parts[0], parts[1]), hn::Max(parts[2], parts[3])));
  for (; v < classes; ++v) largest = row[v] > largest ? row[v] : largest;
  return largest;
}

float row_log_sum_exp(const float* row, int64_t classes) {
  const FloatTag d;
  // A maximum that lost a NaN is made up for by the sum, which keeps it; an infinite one would give inf - inf.
  const float largest = row_max(row, classes);
  if (std::isinf(largest)) return largest > 0 ? largest : std::accumulate(row, row + classes, 0.0F);
  const FloatVec shift = hn::Set(d, largest);
  FloatVec parts[kParts] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  int64_t v = 0;
  for (; v + kParts * kLanes <= classes; v += kParts * kLanes) {
    for (int part = 0; part < kParts; ++part) {
      parts[part] = hn::Add(parts[part], Exp(d, hn::Sub(hn::LoadU(d, row + v + part * kLanes), shift)));
    }
  }
  for (; v + kLanes <= classes; v += kLanes)
    parts[0] = hn::Add(parts[0], Exp(d, hn::Sub(hn::LoadU(d, row + v), shift)));
  if (v < classes) {
    const FloatVec last = Exp(d, hn::Sub(load_first(row + v, classes - v), shift));
    parts[1] = hn::Add(parts[1], first_or(last, classes - v, hn::Zero(d)));
  }
  const float sum = sum_of(hn::Add(hn::Add(parts[0], parts[1]), hn::Add(parts[2], parts[3])));
  return largest + std::log(sum);
}

void row_probabilities(float* row, int64_t classes, float lse, float scale) {
  const FloatTag d;
  const FloatVec shift = hn::Set(d, lse);
  const FloatVec factor = hn::Set(d, scale);
  map(
      classes, row, [&](FloatVec x) HWY_ATTR { return hn::Mul(factor, Exp(d, hn::Sub(x, shift))); }, row);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {

HWY_EXPORT(row_log_sum_exp);
HWY_EXPORT(row_probabilities);

float log_sum_exp(const float* row, int64_t classes) { return HWY_DYNAMIC_DISPATCH(row_log_sum_exp)(row, classes); }

void logits_to_probabilities(float* row, int64_t classes, float lse, float scale) {
  HWY_DYNAMIC_DISPATCH(row_probabilities)(row, classes, lse, scale);
}

}  // namespace sesame
#endif
