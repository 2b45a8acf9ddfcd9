#include "sesame/graph/fused.h"

#include <cmath>
#include <limits>
#include <vector>

#include "sesame/backend/ref/dropout_mask.h"
#include "sesame/backend/ref/indexing.h"
#include "sesame/backend/ref/ref_table.h"
#include "sesame/backend/ref/scalar_formulas.h"

namespace sesame::ref {
namespace {

using Reduction = FusedOutput::Reduction;

/// The list interpreted for one element after the other. Truth values are 0 and 1.
template <typename T>
class Interpretation {
 public:
  explicit Interpretation(const KernelCall& call) : call_(call), attributes_(call.attributes_as<FusedAttributes>()) {
    for (const Tensor& input : call.inputs) strides_.push_back(broadcast_strides(input.type.shape, attributes_.shape));
    values_.resize(call.inputs.size() + attributes_.instructions.size());
    for (const FusedInstruction& step : attributes_.instructions) {
      masks_.emplace_back(step.op == Op::dropout ? step.value : 0.0, step.key, *call.step);
    }
  }

  /// All values of the list for element `index` of the whole.
  void run(int64_t index) {
    for (size_t i = 0; i < call_.inputs.size(); ++i) {
      values_[i] = load(call_.inputs[i], offset_of(index, attributes_.shape, strides_[i]));
    }
    for (size_t k = 0; k < attributes_.instructions.size(); ++k) {
      values_[call_.inputs.size() + k] = apply(attributes_.instructions[k], k, index);
    }
  }

  [[nodiscard]] T value(const FusedOutput& result) const { return values_[static_cast<size_t>(result.value)]; }

 private:
  static T load(const Tensor& tensor, int64_t at) {
    if (tensor.type.dtype == DType::boolean) return convert<T>(tensor.as<const uint8_t>()[at]);
    if (tensor.type.dtype == DType::i32) return convert<T>(tensor.as<const int32_t>()[at]);
    return tensor.as<const T>()[at];
  }

  T apply(const FusedInstruction& step, size_t k, int64_t index) const {
    const auto x = [&](size_t i) { return values_[static_cast<size_t>(step.operands[i])]; };
    switch (step.op) {
      case Op::constant:
        return static_cast<T>(step.value);
      case Op::broadcast_to:
        return x(0);
      case Op::neg:
        return negate(x(0));
      case Op::exp:
        return std::exp(x(0));
      case Op::log:
        return std::log(x(0));
      case Op::sqrt:
        return std::sqrt(x(0));
      case Op::tanh:
        return std::tanh(x(0));
      case Op::sigmoid:
        return sigmoid(x(0));
      case Op::erf:
        return std::erf(x(0));
      case Op::dropout:
        return drop(x(0), masks_[k](index));
      case Op::cast:
        return cast(static_cast<size_t>(step.operands[0]));
      case Op::add:
        return Add::apply(x(0), x(1));
      case Op::sub:
        return Sub::apply(x(0), x(1));
      case Op::mul:
        return Mul::apply(x(0), x(1));
      case Op::div:
        return Div::apply(x(0), x(1));
      case Op::less:
        return Less::apply(x(0), x(1));
      case Op::select:
        return x(0) != 0 ? x(1) : x(2);
      default:
        fail("fused: an instruction that cannot be one");
    }
  }

  /// Whole numbers and truth values became numbers when they were loaded; numbers become truth values.
  [[nodiscard]] T cast(size_t operand) const {
    const bool loaded = operand < call_.inputs.size() && !is_floating(call_.inputs[operand].type.dtype);
    const bool truth =
        operand >= call_.inputs.size() && is_truth(attributes_.instructions[operand - call_.inputs.size()]);
    return loaded || truth ? values_[operand] : static_cast<T>(convert<uint8_t>(values_[operand]));
  }

  [[nodiscard]] bool is_truth(const FusedInstruction& step) const {
    if (step.op != Op::cast) return step.op == Op::less;
    const auto operand = static_cast<size_t>(step.operands[0]);
    if (operand < call_.inputs.size()) return is_floating(call_.inputs[operand].type.dtype);
    return !is_truth(attributes_.instructions[operand - call_.inputs.size()]);
  }

  const KernelCall& call_;
  const FusedAttributes& attributes_;
  std::vector<Strides> strides_;
  std::vector<DropoutMask> masks_;  // one per instruction; only those of dropouts are used
  std::vector<T> values_;
};

template <typename T>
void fused(const KernelCall& call) {
  const auto& attributes = call.attributes_as<FusedAttributes>();
  Interpretation<T> interpretation(call);
  const Shape reduced = reduced_shape(attributes);
  const Strides to_reduced = broadcast_strides(reduced, attributes.shape);
  std::vector<std::vector<double>> joined(attributes.results.size());
  for (size_t o = 0; o < joined.size(); ++o) {
    const Reduction reduction = attributes.results[o].reduction;
    const double start = reduction == Reduction::max ? -std::numeric_limits<double>::infinity() : 0.0;
    if (reduction != Reduction::none) joined[o].assign(static_cast<size_t>(reduced.elements()), start);
  }
  for (int64_t i = 0; i < attributes.shape.elements(); ++i) {
    interpretation.run(i);
    for (size_t o = 0; o < joined.size(); ++o) {
      const FusedOutput& result = attributes.results[o];
      const T value = interpretation.value(result);
      if (result.reduction == Reduction::none) {
        if (call.outputs[o].type.dtype == DType::boolean)
          call.out<uint8_t>(o)[i] = value != 0 ? 1 : 0;
        else
          call.out<T>(o)[i] = value;
        continue;
      }
      double& sum = joined[o][static_cast<size_t>(offset_of(i, attributes.shape, to_reduced))];
      sum = result.reduction == Reduction::sum ? plus(sum, value) : larger(sum, value);
    }
  }
  for (size_t o = 0; o < joined.size(); ++o) {
    for (size_t i = 0; i < joined[o].size(); ++i) call.out<T>(o)[i] = static_cast<T>(joined[o][i]);
  }
}

}  // namespace

void add_fused_kernels(RefTable& table) {
  table.set(Op::fused, DType::f32, fused<float>);
  table.set(Op::fused, DType::f64, fused<double>);
}

}  // namespace sesame::ref
