#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/kernels.h"
#include "sesame/base/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/dropout.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/philox-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

void dropout(const KernelCall& call) {
  const auto& attributes = call.attributes_as<DropoutAttributes>();
  const DropoutRule rule(call.step->seed, attributes.key, call.step->step, attributes.rate);
  const float* x = call.in<float>(0);
  float* y = call.out<float>(0);
  run_blocks(*call.threads, call.outputs[0].elements(), kElementsPerBlock, [&](int64_t begin, int64_t end) HWY_ATTR {
    drop(rule, static_cast<uint64_t>(begin), end - begin, x + begin, y + begin);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(dropout);

}  // namespace

const Kernel cpu_dropout = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(dropout)(call); }};

}  // namespace sesame
#endif  // HWY_ONCE
