// Vectorised elementary functions for Highway targets; include inside foreach_target sources, after hwy/highway.h.
// NaN in gives NaN out.

#if defined(SESAME_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_SIMD_MATH_INL_H_
#undef SESAME_SIMD_MATH_INL_H_
#else
#define SESAME_SIMD_MATH_INL_H_
#endif

#include <limits>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// exp(x), error below 1.02 units in the last place; results below the smallest normal number are 0, above the
/// largest infinity. exp(n ln 2 + r) = 2^n p(r), |r| <= ln 2 / 2, with the polynomial of Cephes' expf (Moshier 1989).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  const hn::RebindToSigned<D> di;
  // Added to n, 1.5 * 2^23 rounds it to a whole number and leaves that in the low bits.
  const V magic = hn::Set(d, 12582912.0f);
  const V rounded = hn::MulAdd(x, hn::Set(d, 1.44269504088896341f), magic);
  const V whole = hn::Sub(rounded, magic);
  V r = hn::NegMulAdd(whole, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(whole, hn::Set(d, -2.12194440e-4f), r);
  V p = hn::MulAdd(hn::Set(d, 1.9875691500e-4f), r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0f));
  V y = hn::BitCast(d, hn::Add(hn::BitCast(di, p), hn::ShiftLeft<23>(hn::BitCast(di, rounded))));
  y = hn::IfThenElse(hn::Lt(x, hn::Set(d, -87.33654f)), hn::Zero(d), y);
  // Above the largest finite result the product is infinity, and NaN for NaN.
  const V infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  return hn::IfThenElse(hn::Le(x, hn::Set(d, 88.72283f)), y, hn::Mul(x, infinity));
}

/// log(x), error below 1 unit in the last place; -infinity at 0, NaN below. x = 2^e m with m in [sqrt(1/2), sqrt(2)),
/// and Cephes' polynomial for log(m).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
  const hn::RebindToSigned<D> di;
  const auto subnormal = hn::Lt(x, hn::Set(d, std::numeric_limits<float>::min()));
  const V scaled = hn::IfThenElse(subnormal, hn::Mul(x, hn::Set(d, 0x1p23f)), x);
  const auto half_root = hn::Set(di, 0x3F3504F3);  // the bits of sqrt(1/2)
  const auto bits = hn::BitCast(di, scaled);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, half_root));
  const V m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent)));
  const V e = hn::Sub(hn::ConvertTo(d, exponent), hn::IfThenElseZero(subnormal, hn::Set(d, 23.0f)));
  const V t = hn::Sub(m, hn::Set(d, 1.0f));
  const V square = hn::Mul(t, t);
  V p = hn::MulAdd(hn::Set(d, 7.0376836292e-2f), t, hn::Set(d, -1.1514610310e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.1676998740e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, -1.2420140846e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.4249322787e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, -1.6668057665e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, 2.0000714765e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, -2.4999993993e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, 3.3333331174e-1f));
  V y = hn::Mul(hn::Mul(p, t), square);
  y = hn::MulAdd(e, hn::Set(d, -2.12194440e-4f), y);
  y = hn::NegMulAdd(hn::Set(d, 0.5f), square, y);
  y = hn::MulAdd(e, hn::Set(d, 0.693359375f), hn::Add(t, y));
  const V infinity = hn::Set(d, std::numeric_limits<float>::infinity());
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), y);
  y = hn::IfThenElse(hn::Eq(x, infinity), infinity, y);
  const auto defined = hn::Ge(x, hn::Zero(d));  // false for NaN too
  return hn::IfThenElse(defined, y, hn::Set(d, std::numeric_limits<float>::quiet_NaN()));
}

/// tanh(x), error below 1.5 units in the last place: Cephes' odd polynomial below 0.625, 1 - 2 / (exp(2|x|) + 1) above.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V size = hn::Abs(x);
  const V one = hn::Set(d, 1.0f), two = hn::Set(d, 2.0f);
  const V z = hn::Mul(x, x);
  V p = hn::MulAdd(hn::Set(d, -5.70498872745e-3f), z, hn::Set(d, 2.06390887954e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, -5.37397155531e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.33314422036e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.33332819422e-1f));
  const V near_zero = hn::MulAdd(hn::Mul(p, z), x, x);
  const V far = hn::CopySign(hn::Sub(one, hn::Div(two, hn::Add(Exp(d, hn::Add(size, size)), one))), x);
  return hn::IfThenElse(hn::Lt(size, hn::Set(d, 0.625f)), near_zero, far);
}

/// 1 / (1 + exp(-x)), error below 2.5 units in the last place; 0 below -88.72.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, Exp(d, hn::Neg(x))));
}

/// erf(x), error below 1.5 units in the last place. Below 0.92 x + x p(x^2); above 1 - exp(-t - t q(t)) with t =
/// |x|, up to 4, where the result is 1. Both polynomials are our own, of least largest error (Remez): 5e-10 and 3e-9 of
/// the result.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  const V size = hn::Abs(x);
  const V z = hn::Mul(x, x);
  V p = hn::MulAdd(hn::Set(d, 8.327489587e-5f), z, hn::Set(d, -8.133216060e-4f));
  p = hn::MulAdd(p, z, hn::Set(d, 5.200260771e-3f));
  p = hn::MulAdd(p, z, hn::Set(d, -2.685912006e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.128369123e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.761263352e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.283791666e-1f));
  const V near_zero = hn::MulAdd(p, x, x);
  const V t = hn::Min(size, hn::Set(d, 4.0f));
  V q = hn::MulAdd(hn::Set(d, -2.139849137e-4f), t, hn::Set(d, 3.214955321e-3f));
  q = hn::MulAdd(q, t, hn::Set(d, -2.288996330e-2f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.052618417e-1f));
  q = hn::MulAdd(q, t, hn::Set(d, 6.357183164e-1f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.285143606e-1f));
  const V far = hn::Sub(hn::Set(d, 1.0f), Exp(d, hn::NegMulSub(q, t, t)));
  return hn::IfThenElse(hn::Ge(size, hn::Set(d, 0.92f)), hn::CopySign(far, x), near_zero);
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif
