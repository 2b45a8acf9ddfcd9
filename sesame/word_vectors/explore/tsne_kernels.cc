#include "sesame/word_vectors/explore/tsne_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/word_vectors/explore/tsne_kernels.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/simd/math-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

TsneForces tsne_forces(const float* probabilities, const float* x, const float* y, int64_t stride, float x_i,
                       float y_i) {
  const FloatTag tag;
  const FloatVec one = hn::Set(tag, 1.0F), at_x = hn::Set(tag, x_i), at_y = hn::Set(tag, y_i);
  FloatVec sum_q = hn::Zero(tag), attract_x = sum_q, attract_y = sum_q, repel_x = sum_q, repel_y = sum_q;
  for (int64_t j = 0; j < stride; j += kLanes) {
    const FloatVec dx = hn::Sub(at_x, hn::LoadU(tag, x + j)), dy = hn::Sub(at_y, hn::LoadU(tag, y + j));
    const FloatVec q = hn::Div(one, hn::MulAdd(dx, dx, hn::MulAdd(dy, dy, one)));
    const FloatVec pq = hn::Mul(hn::LoadU(tag, probabilities + j), q), qq = hn::Mul(q, q);
    sum_q = hn::Add(sum_q, q);
    attract_x = hn::MulAdd(pq, dx, attract_x);
    attract_y = hn::MulAdd(pq, dy, attract_y);
    repel_x = hn::MulAdd(qq, dx, repel_x);
    repel_y = hn::MulAdd(qq, dy, repel_y);
  }
  return {sum_of(sum_q), sum_of(attract_x), sum_of(attract_y), sum_of(repel_x), sum_of(repel_y)};
}

GaussianSums gaussian_row(const float* distances, int64_t n, float beta, float* out) {
  const FloatTag tag;
  const FloatVec minus_beta = hn::Set(tag, -beta);
  FloatVec sum = hn::Zero(tag), weighted = sum;
  int64_t j = 0;
  for (; j + kLanes <= n; j += kLanes) {
    const FloatVec d = hn::LoadU(tag, distances + j);
    const FloatVec e = Exp(tag, hn::Mul(minus_beta, d));
    hn::StoreU(e, tag, out + j);
    sum = hn::Add(sum, e);
    weighted = hn::MulAdd(e, d, weighted);
  }
  if (j < n) {
    const FloatVec d = load_first(distances + j, n - j);
    const FloatVec e = first_or(Exp(tag, hn::Mul(minus_beta, d)), n - j, hn::Zero(tag));
    store_first(e, out + j, n - j);
    sum = hn::Add(sum, e);
    weighted = hn::MulAdd(e, d, weighted);
  }
  return {sum_of(sum), sum_of(weighted)};
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(tsne_forces);
HWY_EXPORT(gaussian_row);

}  // namespace

TsneForces tsne_forces(const float* probabilities, const float* x, const float* y, int64_t stride, float x_i,
                       float y_i) {
  return HWY_DYNAMIC_DISPATCH(tsne_forces)(probabilities, x, y, stride, x_i, y_i);
}

GaussianSums gaussian_row(const float* distances, int64_t n, float beta, float* out) {
  return HWY_DYNAMIC_DISPATCH(gaussian_row)(distances, n, beta, out);
}

}  // namespace sesame
#endif  // HWY_ONCE
