#include <array>
#include <cstdint>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/broadcast_plan.h"
#include "sesame/backend/cpu/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/elementwise.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/element_formulas-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

template <typename F>
HWY_INLINE void unary(const KernelCall& call, F f) {
  const float* x = call.in<float>(0);
  float* y = call.out<float>(0);
  run_blocks(*call.threads, call.outputs[0].elements(), kElementsPerBlock,
             [&](int64_t begin, int64_t end) HWY_ATTR { map(end - begin, y + begin, f, x + begin); });
}

template <typename F>
HWY_INLINE void binary(const KernelCall& call, F f) {
  const BroadcastPlan<2> plan(call.out_shape(0), {call.in_shape(0), call.in_shape(1)});
  float* y = call.out<float>(0);
  const auto run = [&](int64_t at, const std::array<int64_t, 2>& offsets, int64_t n) HWY_ATTR {
    const FloatTag d;
    const float* a = call.in<float>(0) + offsets[0];
    const float* b = call.in<float>(1) + offsets[1];
    if (plan.repeats(1)) {
      const FloatVec right = hn::Set(d, *b);
      map(
          n, y + at, [f, right](FloatVec left) HWY_ATTR { return f(left, right); }, a);
    } else if (plan.repeats(0)) {
      const FloatVec left = hn::Set(d, *a);
      map(
          n, y + at, [f, left](FloatVec right) HWY_ATTR { return f(left, right); }, b);
    } else {
      map(n, y + at, f, a, b);
    }
  };
  run_blocks(*call.threads, call.outputs[0].elements(), kElementsPerBlock,
             [&](int64_t begin, int64_t end) HWY_ATTR { plan.for_each_run(begin, end, run); });
}

void add(const KernelCall& call) { binary(call, AddFormula()); }
void sub(const KernelCall& call) { binary(call, SubFormula()); }
void mul(const KernelCall& call) { binary(call, MulFormula()); }
void div(const KernelCall& call) { binary(call, DivFormula()); }
void neg(const KernelCall& call) { unary(call, NegFormula()); }
void exp(const KernelCall& call) { unary(call, ExpFormula()); }
void log(const KernelCall& call) { unary(call, LogFormula()); }
void sqrt(const KernelCall& call) { unary(call, SqrtFormula()); }
void tanh(const KernelCall& call) { unary(call, TanhFormula()); }
void sigmoid(const KernelCall& call) { unary(call, SigmoidFormula()); }
void erf(const KernelCall& call) { unary(call, ErfFormula()); }

// Comparison and selection deal in bytes, which the compiler vectorises well enough for ops that wait for memory.

void less(const KernelCall& call) {
  const BroadcastPlan<2> plan(call.out_shape(0), {call.in_shape(0), call.in_shape(1)});
  uint8_t* out = call.out<uint8_t>(0);
  const int64_t step_a = plan.repeats(0) ? 0 : 1, step_b = plan.repeats(1) ? 0 : 1;
  run_blocks(*call.threads, call.outputs[0].elements(), kElementsPerBlock, [&](int64_t begin, int64_t end) HWY_ATTR {
    plan.for_each_run(begin, end, [&](int64_t at, const std::array<int64_t, 2>& offsets, int64_t n) HWY_ATTR {
      const float* a = call.in<float>(0) + offsets[0];
      const float* b = call.in<float>(1) + offsets[1];
      for (int64_t i = 0; i < n; ++i) out[at + i] = a[i * step_a] < b[i * step_b] ? 1 : 0;
    });
  });
}

void select(const KernelCall& call) {
  const BroadcastPlan<3> plan(call.out_shape(0), {call.in_shape(0), call.in_shape(1), call.in_shape(2)});
  float* out = call.out<float>(0);
  const int64_t steps[3] = {plan.repeats(0) ? 0 : 1, plan.repeats(1) ? 0 : 1, plan.repeats(2) ? 0 : 1};
  run_blocks(*call.threads, call.outputs[0].elements(), kElementsPerBlock, [&](int64_t begin, int64_t end) HWY_ATTR {
    plan.for_each_run(begin, end, [&](int64_t at, const std::array<int64_t, 3>& offsets, int64_t n) HWY_ATTR {
      const uint8_t* condition = call.in<uint8_t>(0) + offsets[0];
      const float* a = call.in<float>(1) + offsets[1];
      const float* b = call.in<float>(2) + offsets[2];
      for (int64_t i = 0; i < n; ++i) {
        const float yes = a[i * steps[1]], no = b[i * steps[2]];
        out[at + i] = condition[i * steps[0]] != 0 ? yes : no;
      }
    });
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(add);
HWY_EXPORT(sub);
HWY_EXPORT(mul);
HWY_EXPORT(div);
HWY_EXPORT(less);
HWY_EXPORT(neg);
HWY_EXPORT(exp);
HWY_EXPORT(log);
HWY_EXPORT(sqrt);
HWY_EXPORT(tanh);
HWY_EXPORT(sigmoid);
HWY_EXPORT(erf);
HWY_EXPORT(select);

}  // namespace

const Kernel cpu_add = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(add)(call); }};
const Kernel cpu_sub = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(sub)(call); }};
const Kernel cpu_mul = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(mul)(call); }};
const Kernel cpu_div = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(div)(call); }};
const Kernel cpu_less = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(less)(call); }};
const Kernel cpu_neg = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(neg)(call); }};
const Kernel cpu_exp = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(exp)(call); }};
const Kernel cpu_log = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(log)(call); }};
const Kernel cpu_sqrt = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(sqrt)(call); }};
const Kernel cpu_tanh = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(tanh)(call); }};
const Kernel cpu_sigmoid = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(sigmoid)(call); }};
const Kernel cpu_erf = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(erf)(call); }};
const Kernel cpu_select = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(select)(call); }};

}  // namespace sesame
#endif  // HWY_ONCE
