#pragma once

#include "sesame/backend/kernel.h"

namespace sesame {

/// The float32 kernels of this machine's processor, but for those made of matrix products (gemm_kernels.h). What each
/// computes stands in graph/ops/ops.h; the order of inputs and outputs in the op's block.

// elementwise.cc, dropout.cc
extern const Kernel cpu_add;
extern const Kernel cpu_sub;
extern const Kernel cpu_mul;
extern const Kernel cpu_div;
extern const Kernel cpu_less;
extern const Kernel cpu_neg;
extern const Kernel cpu_exp;
extern const Kernel cpu_log;
extern const Kernel cpu_sqrt;
extern const Kernel cpu_tanh;
extern const Kernel cpu_sigmoid;
extern const Kernel cpu_erf;
extern const Kernel cpu_select;
extern const Kernel cpu_dropout;

// fused.cc
extern const Kernel cpu_fused;

// layout.cc: these move elements of any dtype of the same size.
extern const Kernel cpu_constant;
extern const Kernel cpu_permute;
extern const Kernel cpu_broadcast_to;
extern const Kernel cpu_slice;
extern const Kernel cpu_pad;

// reduce.cc
extern const Kernel cpu_reduce_sum;
extern const Kernel cpu_reduce_max;

// embedding.cc
extern const Kernel cpu_embedding;
extern const Kernel cpu_embedding_grad;
extern const Kernel cpu_one_hot;

// norm.cc
extern const Kernel cpu_layer_norm;
extern const Kernel cpu_layer_norm_grad;
extern const Kernel cpu_rms_norm;
extern const Kernel cpu_rms_norm_grad;

// activation.cc
extern const Kernel cpu_bias_gelu;
extern const Kernel cpu_bias_gelu_grad;
extern const Kernel cpu_swiglu;
extern const Kernel cpu_swiglu_grad;

// rope.cc
extern const Kernel cpu_rope;

// attention.cc, attention_grad.cc, cached_attention.cc
extern const Kernel cpu_attention;
extern const Kernel cpu_attention_grad;
extern const Kernel cpu_cached_attention;

// optimizer.cc
extern const Kernel cpu_sum_squares;
extern const Kernel cpu_adamw;

}  // namespace sesame
