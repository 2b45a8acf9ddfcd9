#pragma once

#include "sesame/backend/kernel.h"

namespace sesame {

/// The float32 kernels of this machine's processor that are made of matrix products.
extern const Kernel cpu_matmul;
extern const Kernel cpu_linear_cross_entropy;
extern const Kernel cpu_linear_cross_entropy_grad;
extern const Kernel cpu_linear_cross_entropy_step;

}  // namespace sesame
