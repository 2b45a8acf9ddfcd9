#include "sesame/graph/fused.h"

#include <fmt/format.h>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

using Reduction = FusedOutput::Reduction;

/// What a value of the list holds: numbers of the node's floating type, truth values, or whole numbers (inputs only).
enum class Kind : uint8_t { number, truth, whole };

const char* text_of(Kind kind) {
  constexpr const char* kNames[] = {"floating", "bool", "int32"};
  return kNames[static_cast<size_t>(kind)];
}

/// Checks a list from its first instruction to its last.
class ListCheck {
 public:
  explicit ListCheck(const InferContext& context)
      : context_(context), attributes_(context.attributes_as<FusedAttributes>()) {}

  std::vector<Type> types() {
    take_inputs();
    for (size_t k = 0; k < attributes_.instructions.size(); ++k) take(attributes_.instructions[k], k);
    check_axes();
    std::vector<Type> types;
    for (const FusedOutput& result : attributes_.results) types.push_back(type_of(result));
    if (types.empty()) context_.error("has no result");
    return types;
  }

 private:
  void take_inputs() {
    if (context_.inputs.empty() || context_.inputs.size() > kMaxFusedInputs) {
      context_.error(fmt::format("takes 1 to {} operands, not {}", kMaxFusedInputs, context_.inputs.size()));
    }
    if (attributes_.instructions.size() > kMaxFusedInstructions || attributes_.results.size() > kMaxFusedResults) {
      context_.error(fmt::format("has {} instructions and {} results; at most {} and {} are allowed",
                                 attributes_.instructions.size(), attributes_.results.size(), kMaxFusedInstructions,
                                 kMaxFusedResults));
    }
    for (const Type& type : context_.inputs) {
      Shape reached;
      if (!broadcast_shapes(type.shape, attributes_.shape, &reached) || reached != attributes_.shape) {
        context_.error(
            fmt::format("operand {} does not broadcast to {}", type.to_string(), attributes_.shape.to_string()));
      }
      if (is_floating(type.dtype)) {
        if (has_dtype_ && type.dtype != dtype_) context_.error("floating operands must have one dtype");
        dtype_ = type.dtype;
        has_dtype_ = true;
      }
      kinds_.push_back(type.dtype == DType::boolean ? Kind::truth
                       : type.dtype == DType::i32   ? Kind::whole
                                                    : Kind::number);
    }
    if (!has_dtype_) context_.error("takes at least one floating operand, whose dtype the results have");
  }

  void take(const FusedInstruction& step, size_t k) {
    const int expected = fused_operands(step.op);
    if (expected < 0) context_.error(fmt::format("instruction {}: {} cannot be fused", k, name_of(step.op)));
    for (int i = 0; i < 3; ++i) {
      const int32_t operand = step.operands[static_cast<size_t>(i)];
      if (i >= expected ? operand != -1 : operand < 0 || operand >= static_cast<int32_t>(kinds_.size())) {
        context_.error(fmt::format("instruction {}: {} takes {} earlier values", k, name_of(step.op), expected));
      }
    }
    const bool picks = step.op == Op::select;
    for (int i = 0; i < expected && step.op != Op::cast; ++i) {
      const Kind wanted = picks && i == 0 ? Kind::truth : Kind::number;
      if (kind(step, i) != wanted) {
        context_.error(fmt::format("instruction {}: {} takes {}, not {}, as operand {}", k, name_of(step.op),
                                   text_of(wanted), text_of(kind(step, i)), i));
      }
    }
    if (step.op == Op::dropout && !(step.value >= 0 && step.value < 1)) {
      context_.error(fmt::format("instruction {}: rate {} is outside [0, 1)", k, step.value));
    }
    const bool truth = step.op == Op::less || (step.op == Op::cast && kind(step, 0) == Kind::number);
    kinds_.push_back(truth ? Kind::truth : Kind::number);
  }

  [[nodiscard]] Kind kind(const FusedInstruction& step, int i) const {
    return kinds_[static_cast<size_t>(step.operands[static_cast<size_t>(i)])];
  }

  void check_axes() {
    const std::vector<int64_t>& axes = attributes_.axes;
    const int64_t rank = attributes_.shape.rank();
    const auto count = static_cast<int64_t>(axes.size());
    if (count == 0) return;
    bool run = axes.front() == 0 || axes.back() == rank - 1;
    for (int64_t i = 0; i < count; ++i) run = run && axes[static_cast<size_t>(i)] == axes.front() + i;
    if (!run || axes.back() >= rank) {
      context_.error(fmt::format("reduces the first or the last few axes of {}", attributes_.shape.to_string()));
    }
  }

  Type type_of(const FusedOutput& result) {
    const auto inputs = static_cast<int32_t>(context_.inputs.size());
    if (result.value < inputs || result.value >= static_cast<int32_t>(kinds_.size())) {
      context_.error(fmt::format("result {} is not the value of an instruction", result.value));
    }
    const bool truth = kinds_[static_cast<size_t>(result.value)] == Kind::truth;
    if (result.reduction == Reduction::none) return {truth ? DType::boolean : dtype_, attributes_.shape};
    if (truth || attributes_.axes.empty()) context_.error("a reduction takes floating values and axes");
    return {dtype_, reduced_shape(attributes_)};
  }

  const InferContext& context_;
  const FusedAttributes& attributes_;
  std::vector<Kind> kinds_;
  DType dtype_ = DType::f32;
  bool has_dtype_ = false;
};

Value reached(Value x, const Shape& shape) { return x.shape() == shape ? x : broadcast_to(x, shape); }

/// One instruction as the op that it stands for.
Value apply(Builder& builder, const FusedInstruction& step, std::span<const Value> values, DType dtype,
            const Shape& shape) {
  const auto operand = [&](size_t i) { return values[static_cast<size_t>(step.operands[i])]; };
  switch (step.op) {
    case Op::constant:
      return builder.constant(step.value, {dtype, Shape{}});
    case Op::broadcast_to:
      return reached(operand(0), shape);
    case Op::dropout:
      // The mask goes by the element's number in the whole.
      return builder.append_one(Op::dropout, DropoutAttributes{step.value, step.key}, {reached(operand(0), shape)},
                                Where::current());
    case Op::cast:
      return cast(operand(0), is_floating(operand(0).dtype()) ? DType::boolean : dtype);
    default: {
      std::vector<Value> operands;
      for (int i = 0; i < fused_operands(step.op); ++i) operands.push_back(operand(static_cast<size_t>(i)));
      return builder.append(step.op, NoAttributes{}, operands, Where::current())[0];
    }
  }
}

std::vector<Value> decompose(Builder& builder, const Node& node, std::span<const Value> inputs) {
  const auto& attributes = node.attributes_as<FusedAttributes>();
  DType dtype = DType::f32;
  for (const Value& input : inputs) dtype = is_floating(input.dtype()) ? input.dtype() : dtype;
  std::vector<Value> values(inputs.begin(), inputs.end());
  for (const FusedInstruction& step : attributes.instructions) {
    values.push_back(apply(builder, step, values, dtype, attributes.shape));
  }
  std::vector<Value> results;
  for (const FusedOutput& result : attributes.results) {
    const Value whole = reached(values[static_cast<size_t>(result.value)], attributes.shape);
    switch (result.reduction) {
      case Reduction::none:
        results.push_back(whole);
        break;
      case Reduction::sum:
        results.push_back(reduce_sum(whole, attributes.axes));
        break;
      case Reduction::max:
        results.push_back(reduce_max(whole, attributes.axes));
        break;
    }
  }
  return results;
}

Cost cost(const Node& node, std::span<const Type> inputs) {
  const auto& attributes = node.attributes_as<FusedAttributes>();
  double steps = 0;
  for (const FusedInstruction& step : attributes.instructions) steps += step.op == Op::constant ? 0 : 1;
  for (const FusedOutput& result : attributes.results) steps += result.reduction == Reduction::none ? 0 : 1;
  Cost cost{.flops = steps * static_cast<double>(attributes.shape.elements()), .bytes = 0};
  for (const Type& type : inputs) cost.bytes += static_cast<double>(type.bytes());
  for (const Type& type : node.outputs) cost.bytes += static_cast<double>(type.bytes());
  return cost;
}

}  // namespace

int fused_operands(Op op) {
  switch (op) {
    case Op::constant:
      return 0;
    case Op::neg:
    case Op::exp:
    case Op::log:
    case Op::sqrt:
    case Op::tanh:
    case Op::sigmoid:
    case Op::erf:
    case Op::cast:
    case Op::dropout:
    case Op::broadcast_to:
      return 1;
    case Op::add:
    case Op::sub:
    case Op::mul:
    case Op::div:
    case Op::less:
      return 2;
    case Op::select:
      return 3;
    default:
      return -1;
  }
}

Shape reduced_shape(const FusedAttributes& attributes) {
  Shape shape = attributes.shape;
  for (const int64_t axis : attributes.axes) shape = shape.with(static_cast<int>(axis), 1);
  return shape;
}

const OpDef op_defs::fused_def = {
    .name = "fused",
    .doc = "A list of element-wise instructions run over small pieces of the operands, with reductions at its end.",
    .infer = [](const InferContext& context) { return ListCheck(context).types(); },
    .cost = cost,
    .decompose = decompose,
    // Kernels read all of a piece before they write any of it; what is reduced is written after what it is made of.
    .in_place = {~0u, ~0u, ~0u}};

std::vector<Value> fused(Builder& builder, FusedAttributes attributes, std::span<const Value> inputs, Where where) {
  return builder.append(Op::fused, std::move(attributes), inputs, where);
}

}  // namespace sesame
