#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/graph/builder.h"
#include "sesame/graph/graph.h"

namespace sesame {

/// What an op costs: floating-point operations (a fused multiply-add counts two) and bytes read and written.
struct Cost {
  double flops = 0;
  double bytes = 0;
};

/// How dear it is to compute an op again: `cheap` (memory-bound), `heavy` (matrix products), `never_twice` (it changes
/// a variable).
enum class CostClass : uint8_t { cheap, heavy, never_twice };

/// What a shape rule sees. `error` throws an Error with the op, the given text, scope and source line.
struct InferContext {
  Op op;
  const Attributes& attributes;
  std::span<const Type> inputs;
  const std::string& scope;
  std::source_location where;

  template <typename A>
  [[nodiscard]] const A& attributes_as() const {
    return std::get<A>(attributes);
  }
  [[noreturn]] void error(const std::string& what) const;

  /// Throws unless there are `count` inputs / they are floating point and of one dtype.
  void expect_inputs(size_t count) const;
  void expect_floating(std::span<const Type> types) const;
};

/// What a gradient rule sees: the node's attributes, its inputs and outputs, and the gradients of its outputs (absent
/// where nothing flows back). It returns one value per input, absent where no gradient is wanted or exists. A returned
/// gradient may have the shape of the broadcast result: the driver sums it to the input's shape.
struct VjpContext {
  Builder& builder;
  const Node& node;
  std::span<const Value> inputs;
  std::span<const Value> outputs;
  std::span<const Value> grads;
  std::span<const bool> wanted;  // per input

  template <typename A>
  [[nodiscard]] const A& attributes_as() const {
    return std::get<A>(node.attributes);
  }
};

/// One op, one block. Every member but the gradient rule, the decomposition and the in-place table is mandatory.
struct OpDef {
  std::string_view name;
  std::string_view doc;

  /// Output types from input types; reports what is wrong through the context.
  std::vector<Type> (*infer)(const InferContext&) = nullptr;

  /// Vector-Jacobian product. Null for ops that have none: leaves, integer ops, fused gradient and optimiser ops.
  std::vector<Value> (*vjp)(const VjpContext&) = nullptr;

  /// Null: one operation per output element, each input read and each output written once.
  Cost (*cost)(const Node&, std::span<const Type> inputs) = nullptr;
  CostClass cost_class = CostClass::cheap;

  /// Fused ops: the same outputs from simpler ops. Null for primitives, which every backend must have.
  std::vector<Value> (*decompose)(Builder&, const Node&, std::span<const Value> inputs) = nullptr;

  /// in_place[o]: bit i is set if output o may lie where input i lies (same type, and the kernel allows it).
  std::array<uint32_t, 3> in_place{};

  /// The output is the input's bytes under another shape; no kernel runs.
  bool view = false;
};

/// The table entry of an op.
const OpDef& op_def(Op op);

inline std::string_view name_of(Op op) { return op_def(op).name; }

/// The cost of a node by its OpDef.
Cost cost_of(const Graph& graph, const Node& node);

}  // namespace sesame
