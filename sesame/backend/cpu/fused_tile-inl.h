// One tile of elements through the list of a fused node. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_FUSED_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_FUSED_TILE_INL_H_
#undef SESAME_BACKEND_CPU_FUSED_TILE_INL_H_
#else
#define SESAME_BACKEND_CPU_FUSED_TILE_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

#include "hwy/highway.h"
#include "sesame/backend/cpu/broadcast_plan.h"
#include "sesame/backend/cpu/element_formulas-inl.h"
#include "sesame/backend/cpu/fused_plan.h"
#include "sesame/backend/cpu/philox-inl.h"
#include "sesame/backend/kernel.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// One instruction over a tile. A function of its own, or its constants would not stay in registers.
template <typename Formula, typename... Operands>
HWY_NOINLINE void over(int64_t n, float* to, const Operands*... x) {
  map(n, to, Formula(), x...);
}

HWY_NOINLINE void drop_over(const DropoutRule& rule, int64_t at, int64_t n, const float* x, float* to) {
  drop(rule, static_cast<uint64_t>(at), n, x, to);
}

/// Every value of the list is a row of floats: an input where it lies, a result where it belongs, or a slot of the
/// buffer. Each instruction is one loop over the tile.
class FusedTile {
 public:
  FusedTile(const KernelCall& call, const FusedPlan& plan)
      : call_(call), attributes_(call.attributes_as<FusedAttributes>()), plan_(plan) {
    for (size_t i = 0; i < plan.inputs; ++i) {
      const Tensor& input = call.inputs[i];
      if (input.elements() == 1) {
        fill_slot(i, element(input, 0));
      } else if (input.type.shape != attributes_.shape) {
        walks_[i].emplace(attributes_.shape, std::array{input.type.shape});
      }
    }
    for (size_t k = 0; k < attributes_.instructions.size(); ++k) {
      const FusedInstruction& step = attributes_.instructions[k];
      if (step.op == Op::constant) fill_slot(plan.inputs + k, static_cast<float>(step.value));
    }
    place_results();
  }
  FusedTile(const FusedTile&) = delete;
  FusedTile& operator=(const FusedTile&) = delete;

  /// Computes the values of elements [at, at + n), n <= plan.tile. Those that may be are written to the outputs at
  /// once.
  HWY_INLINE void run(int64_t at, int64_t n) {
    for (size_t i = 0; i < plan_.inputs; ++i) load(i, at, n);
    for (size_t k = 0; k < attributes_.instructions.size(); ++k) {
      const FusedInstruction& step = attributes_.instructions[k];
      if (step.op == Op::constant) continue;
      const size_t value = plan_.inputs + k;
      float* to = straight_[k] != nullptr ? straight_[k] + at : slot(value);
      apply(step, at, n, to);
      values_[value] = to;
    }
  }

  /// The values that result o is, or is reduced from.
  [[nodiscard]] const float* result(size_t o) const {
    return values_[static_cast<size_t>(attributes_.results[o].value)];
  }

  /// Writes the results of the last run that are not where they belong.
  HWY_INLINE void store(int64_t at, int64_t n) {
    for (size_t o = 0; o < attributes_.results.size(); ++o) {
      if (attributes_.results[o].reduction != FusedOutput::Reduction::none) continue;
      const float* from = result(o);
      if (call_.outputs[o].type.dtype == DType::boolean) {
        uint8_t* to = call_.out<uint8_t>(o) + at;
        for (int64_t i = 0; i < n; ++i) to[i] = from[i] != 0 ? 1 : 0;
      } else if (from != call_.out<float>(o) + at) {
        std::memcpy(call_.out<float>(o) + at, from, static_cast<size_t>(n) * sizeof(float));
      }
    }
  }

 private:
  float* slot(size_t value) { return buffer_ + plan_.slot_begin(value); }

  void fill_slot(size_t value, float number) {
    std::fill_n(slot(value), plan_.tile, number);
    values_[value] = slot(value);
  }

  static float element(const Tensor& tensor, int64_t at) {
    if (tensor.type.dtype == DType::f32) return tensor.as<const float>()[at];
    if (tensor.type.dtype == DType::i32) return static_cast<float>(tensor.as<const int32_t>()[at]);
    return tensor.as<const uint8_t>()[at] != 0 ? 1.0f : 0.0f;
  }

  /// A result is computed where it belongs unless an input that is read later lies there.
  void place_results() {
    for (size_t o = 0; o < attributes_.results.size(); ++o) {
      const FusedOutput& result = attributes_.results[o];
      if (result.reduction != FusedOutput::Reduction::none || call_.outputs[o].type.dtype != DType::f32) continue;
      const size_t k = static_cast<size_t>(result.value) - plan_.inputs;
      bool read_later = attributes_.instructions[k].op == Op::constant;
      for (size_t i = 0; i < plan_.inputs; ++i) {
        const bool same = call_.inputs[i].data == call_.outputs[o].data;
        read_later = read_later || (same && plan_.last_use[i] > static_cast<int>(k));
      }
      if (!read_later) straight_[k] = call_.out<float>(o);
    }
  }

  HWY_INLINE void load(size_t i, int64_t at, int64_t n) {
    const Tensor& input = call_.inputs[i];
    if (input.elements() == 1) return;
    const bool floats = input.type.dtype == DType::f32;
    if (!walks_[i] && floats) {
      values_[i] = input.as<const float>() + at;
      return;
    }
    values_[i] = slot(i);
    if (!walks_[i]) return copy(input, at, n, slot(i));
    const bool repeats = walks_[i]->repeats(0);
    walks_[i]->for_each_run(at, at + n,
                            [&](int64_t place, const std::array<int64_t, 1>& offset, int64_t count) HWY_ATTR {
                              if (repeats) {
                                std::fill_n(slot(i) + (place - at), count, element(input, offset[0]));
                              } else if (floats && count == n) {
                                values_[i] = input.as<const float>() + offset[0];
                              } else {
                                copy(input, offset[0], count, slot(i) + (place - at));
                              }
                            });
  }

  static HWY_INLINE void copy(const Tensor& input, int64_t from, int64_t n, float* to) {
    if (input.type.dtype == DType::f32) {
      std::memcpy(to, input.as<const float>() + from, static_cast<size_t>(n) * sizeof(float));
    } else if (input.type.dtype == DType::i32) {
      const int32_t* whole = input.as<const int32_t>() + from;
      for (int64_t j = 0; j < n; ++j) to[j] = static_cast<float>(whole[j]);
    } else {
      const uint8_t* flags = input.as<const uint8_t>() + from;
      for (int64_t j = 0; j < n; ++j) to[j] = flags[j] != 0 ? 1.0f : 0.0f;
    }
  }

  HWY_INLINE void apply(const FusedInstruction& step, int64_t at, int64_t n, float* to) {
    const auto x = [&](size_t i) { return values_[static_cast<size_t>(step.operands[i])]; };
    switch (step.op) {
      case Op::neg:
        return over<NegFormula>(n, to, x(0));
      case Op::exp:
        return over<ExpFormula>(n, to, x(0));
      case Op::log:
        return over<LogFormula>(n, to, x(0));
      case Op::sqrt:
        return over<SqrtFormula>(n, to, x(0));
      case Op::tanh:
        return over<TanhFormula>(n, to, x(0));
      case Op::sigmoid:
        return over<SigmoidFormula>(n, to, x(0));
      case Op::erf:
        return over<ErfFormula>(n, to, x(0));
      case Op::add:
        return over<AddFormula>(n, to, x(0), x(1));
      case Op::sub:
        return over<SubFormula>(n, to, x(0), x(1));
      case Op::mul:
        return over<MulFormula>(n, to, x(0), x(1));
      case Op::div:
        return over<DivFormula>(n, to, x(0), x(1));
      case Op::less:
        return over<LessFormula>(n, to, x(0), x(1));
      case Op::select:
        return over<SelectFormula>(n, to, x(0), x(1), x(2));
      case Op::cast:
        return makes_truth(step) ? over<TruthFormula>(n, to, x(0)) : over<CopyFormula>(n, to, x(0));
      case Op::dropout: {
        const DropoutRule rule(call_.step->seed, step.key, call_.step->step, step.value);
        return drop_over(rule, at, n, x(0), to);
      }
      default:
        return over<CopyFormula>(n, to, x(0));
    }
  }

  /// A cast of numbers; truth values and whole numbers have become numbers already.
  [[nodiscard]] bool makes_truth(const FusedInstruction& cast) const {
    const auto operand = static_cast<size_t>(cast.operands[0]);
    if (operand < plan_.inputs) return call_.inputs[operand].type.dtype == DType::f32;
    const FusedInstruction& step = attributes_.instructions[operand - plan_.inputs];
    return step.op == Op::cast ? !makes_truth(step) : step.op != Op::less;
  }

  const KernelCall& call_;
  const FusedAttributes& attributes_;
  const FusedPlan& plan_;
  std::array<std::optional<BroadcastPlan<1>>, kMaxFusedInputs> walks_;  // of inputs that are smaller than the whole
  std::array<const float*, FusedPlan::kMaxValues> values_{};
  std::array<float*, kMaxFusedInstructions> straight_{};  // the output that an instruction writes, or null
  HWY_ALIGN float buffer_[FusedPlan::kBufferFloats + FusedPlan::kSlotGap * FusedPlan::kMaxValues];
};

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_FUSED_TILE_INL_H_
