#include <array>

#include "sesame/backend/cpu/gemm_kernels.h"
#include "sesame/backend/cpu/kernels.h"

namespace sesame {
namespace {

class CpuBackend final : public Backend {
 public:
  CpuBackend() {
    set_elementwise();
    set_layout();
    set(Op::reduce_sum, cpu_reduce_sum);
    set(Op::reduce_max, cpu_reduce_max);
    set(Op::matmul, cpu_matmul);
    set_fused();
    set(Op::sum_squares, cpu_sum_squares);
    set(Op::adamw, cpu_adamw);
  }

  [[nodiscard]] const char* name() const override { return "cpu"; }

  [[nodiscard]] const Kernel* find(Op op, DType dtype) const override {
    const auto index = static_cast<size_t>(op);
    if (dtype == DType::f32 && f32_[index] != nullptr) return f32_[index];
    if (dtype == DType::i32 && i32_[index] != nullptr) return i32_[index];
    return ref_backend().find(op, dtype);
  }

 private:
  using Table = std::array<const Kernel*, static_cast<size_t>(kOpCount)>;

  void set(Op op, const Kernel& kernel) { f32_[static_cast<size_t>(op)] = &kernel; }

  /// Kernels that only move elements serve int32 as well.
  void set_mover(Op op, const Kernel& kernel) {
    set(op, kernel);
    i32_[static_cast<size_t>(op)] = &kernel;
  }

  void set_elementwise() {
    set(Op::add, cpu_add);
    set(Op::sub, cpu_sub);
    set(Op::mul, cpu_mul);
    set(Op::div, cpu_div);
    set(Op::less, cpu_less);
    set(Op::neg, cpu_neg);
    set(Op::exp, cpu_exp);
    set(Op::log, cpu_log);
    set(Op::sqrt, cpu_sqrt);
    set(Op::tanh, cpu_tanh);
    set(Op::sigmoid, cpu_sigmoid);
    set(Op::erf, cpu_erf);
    set(Op::select, cpu_select);
    set(Op::dropout, cpu_dropout);
    set(Op::fused, cpu_fused);
  }

  void set_layout() {
    set(Op::constant, cpu_constant);
    set_mover(Op::permute, cpu_permute);
    set_mover(Op::broadcast_to, cpu_broadcast_to);
    set_mover(Op::slice, cpu_slice);
    set_mover(Op::pad, cpu_pad);
    set(Op::embedding, cpu_embedding);
    set(Op::embedding_grad, cpu_embedding_grad);
    set(Op::one_hot, cpu_one_hot);
  }

  void set_fused() {
    set(Op::layer_norm, cpu_layer_norm);
    set(Op::layer_norm_grad, cpu_layer_norm_grad);
    set(Op::rms_norm, cpu_rms_norm);
    set(Op::rms_norm_grad, cpu_rms_norm_grad);
    set(Op::bias_gelu, cpu_bias_gelu);
    set(Op::bias_gelu_grad, cpu_bias_gelu_grad);
    set(Op::swiglu, cpu_swiglu);
    set(Op::swiglu_grad, cpu_swiglu_grad);
    set(Op::rope, cpu_rope);
    set(Op::attention, cpu_attention);
    set(Op::attention_grad, cpu_attention_grad);
    set(Op::cached_attention, cpu_cached_attention);
    set(Op::linear_cross_entropy, cpu_linear_cross_entropy);
    set(Op::linear_cross_entropy_grad, cpu_linear_cross_entropy_grad);
    set(Op::linear_cross_entropy_step, cpu_linear_cross_entropy_step);
  }

  Table f32_{};
  Table i32_{};
};

}  // namespace

const Backend& cpu_backend() {
  static const CpuBackend backend;
  return backend;
}

}  // namespace sesame
