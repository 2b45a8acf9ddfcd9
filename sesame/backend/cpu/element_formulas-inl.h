// What the element-wise ops make of vectors of elements: the only place where this backend says so. Truth values are 0
// and 1 here. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_ELEMENT_FORMULAS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_ELEMENT_FORMULAS_INL_H_
#undef SESAME_BACKEND_CPU_ELEMENT_FORMULAS_INL_H_
#else
#define SESAME_BACKEND_CPU_ELEMENT_FORMULAS_INL_H_
#endif

#include <limits>

#include "hwy/highway.h"
#include "sesame/simd/math-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

struct AddFormula {
  HWY_INLINE FloatVec operator()(FloatVec a, FloatVec b) const { return hn::Add(a, b); }
};
struct SubFormula {
  HWY_INLINE FloatVec operator()(FloatVec a, FloatVec b) const { return hn::Sub(a, b); }
};
struct MulFormula {
  HWY_INLINE FloatVec operator()(FloatVec a, FloatVec b) const { return hn::Mul(a, b); }
};
struct DivFormula {
  HWY_INLINE FloatVec operator()(FloatVec a, FloatVec b) const { return hn::Div(a, b); }
};
struct LessFormula {
  HWY_INLINE FloatVec operator()(FloatVec a, FloatVec b) const {
    return hn::IfThenElseZero(hn::Lt(a, b), hn::Set(FloatTag(), 1.0f));
  }
};
struct SelectFormula {
  HWY_INLINE FloatVec operator()(FloatVec condition, FloatVec a, FloatVec b) const {
    return hn::IfThenElse(hn::Eq(condition, hn::Zero(FloatTag())), b, a);
  }
};
struct NegFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return hn::Neg(x); }
};
struct ExpFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return Exp(FloatTag(), x); }
};
struct LogFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return Log(FloatTag(), x); }
};
struct SqrtFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return hn::Sqrt(x); }
};
struct TanhFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return Tanh(FloatTag(), x); }
};
struct SigmoidFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return Sigmoid(FloatTag(), x); }
};
struct ErfFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return Erf(FloatTag(), x); }
};
/// NaN is not 0, hence true.
struct TruthFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const {
    const FloatTag d;
    return hn::IfThenZeroElse(hn::Eq(x, hn::Zero(d)), hn::Set(d, 1.0f));
  }
};
struct CopyFormula {
  HWY_INLINE FloatVec operator()(FloatVec x) const { return x; }
};

struct Sum {
  static constexpr float kIdentity = 0;
  HWY_INLINE FloatVec operator()(FloatVec a, FloatVec b) const { return hn::Add(a, b); }
  static HWY_INLINE float of_lanes(FloatVec v) { return sum_of(v); }
  static HWY_INLINE float of_two(float a, float b) { return a + b; }
};

/// Like NumPy's: a NaN among the elements is the result.
struct Max {
  static constexpr float kIdentity = -std::numeric_limits<float>::infinity();
  HWY_INLINE FloatVec operator()(FloatVec a, FloatVec b) const {
    return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  }
  static HWY_INLINE float of_lanes(FloatVec v) {
    HWY_ALIGN float lanes[kLanes];
    hn::Store(v, FloatTag(), lanes);
    float result = lanes[0];
    for (int64_t i = 1; i < kLanes; ++i) result = of_two(result, lanes[i]);
    return result;
  }
  static HWY_INLINE float of_two(float a, float b) { return a > b || a != a ? a : b; }
};

/// The reduction of n neighbours, in an order that depends on n alone.
template <typename Reducer>
HWY_INLINE float reduce_run(const float* x, int64_t n) {
  const FloatTag d;
  const Reducer reduce;
  const FloatVec identity = hn::Set(d, Reducer::kIdentity);
  FloatVec a = identity, b = identity, c = identity, e = identity;
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    a = reduce(a, hn::LoadU(d, x + i));
    b = reduce(b, hn::LoadU(d, x + i + kLanes));
    c = reduce(c, hn::LoadU(d, x + i + 2 * kLanes));
    e = reduce(e, hn::LoadU(d, x + i + 3 * kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) a = reduce(a, hn::LoadU(d, x + i));
  if (i < n) b = reduce(b, first_or(load_first(x + i, n - i), n - i, identity));
  return Reducer::of_lanes(reduce(reduce(a, b), reduce(c, e)));
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_ELEMENT_FORMULAS_INL_H_
