#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "sesame/backend/kernel.h"

namespace sesame::ref {

/// The element type by which a C++ type is stored: bool lies in memory as one byte, 0 or 1.
template <typename T>
inline constexpr DType kDTypeOf = std::is_same_v<T, float>     ? DType::f32
                                  : std::is_same_v<T, double>  ? DType::f64
                                  : std::is_same_v<T, int32_t> ? DType::i32
                                                               : DType::boolean;

/// The reference kernels by op and dtype. They use one thread and no workspace and are written to be read: each is the
/// definition of its op as loops. Sums are made in double.
class RefTable {
 public:
  void set(Op op, DType dtype, void (*run)(const KernelCall&)) { kernels_[index(op)][index(dtype)].run = run; }

  [[nodiscard]] const Kernel* find(Op op, DType dtype) const {
    const Kernel& kernel = kernels_[index(op)][index(dtype)];
    return kernel.run != nullptr ? &kernel : nullptr;
  }

 private:
  template <typename Enum>
  static constexpr size_t index(Enum value) {
    return static_cast<size_t>(value);
  }

  std::array<std::array<Kernel, 4>, kOpCount> kernels_{};
};

// One function per file of kernels.
void add_leaf_kernels(RefTable& table);
void add_elementwise_kernels(RefTable& table);
void add_fused_kernels(RefTable& table);
void add_layout_kernels(RefTable& table);
void add_reduce_kernels(RefTable& table);
void add_matmul_kernels(RefTable& table);
void add_embedding_kernels(RefTable& table);
void add_norm_kernels(RefTable& table);
void add_activation_kernels(RefTable& table);
void add_rope_kernels(RefTable& table);
void add_attention_kernels(RefTable& table);
void add_cached_attention_kernels(RefTable& table);
void add_cross_entropy_kernels(RefTable& table);
void add_optimizer_kernels(RefTable& table);

}  // namespace sesame::ref
