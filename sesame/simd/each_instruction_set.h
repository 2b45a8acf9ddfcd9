#pragma once

#include <cstdint>

#include "hwy/highway.h"

namespace sesame {

/// For tests: calls f(name) once for every instruction set that the kernels are built for and this processor has, with
/// the kernels bound to it. Afterwards they are bound to the best one again.
template <typename F>
void for_each_instruction_set(F&& f) {
  const int64_t supported = hwy::SupportedTargets();
  for (int64_t left = supported & HWY_TARGETS; left != 0; left &= left - 1) {
    const int64_t target = left & -left;
    hwy::GetChosenTarget().Update(target);
    f(hwy::TargetName(target));
  }
  hwy::GetChosenTarget().Update(supported);
}

}  // namespace sesame
