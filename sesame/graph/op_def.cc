#include "sesame/graph/op_def.h"

#include <fmt/format.h>

#include <filesystem>

#include "sesame/base/error.h"
#include "sesame/graph/ops/op_defs.h"

namespace sesame {

const OpDef& op_def(Op op) {
  static constexpr std::array<const OpDef*, kOpCount> table = {
#define SESAME_OP(name) &op_defs::name##_def,
#include "sesame/graph/ops/ops.def"
#undef SESAME_OP
  };
  return *table[static_cast<size_t>(op)];
}

void InferContext::error(const std::string& what) const {
  const std::string file = std::filesystem::path(where.file_name()).filename().string();
  fail(fmt::format("{}: {} (in {}, {}:{})", name_of(op), what, scope.empty() ? "the top scope" : scope, file,
                   where.line()));
}

void InferContext::expect_inputs(size_t count) const {
  if (inputs.size() != count) error(fmt::format("takes {} operands, not {}", count, inputs.size()));
}

void InferContext::expect_floating(std::span<const Type> types) const {
  for (const Type& type : types) {
    if (!is_floating(type.dtype)) error(fmt::format("takes floating-point operands, not {}", type.to_string()));
    if (type.dtype != types[0].dtype) {
      error(fmt::format("operands must have one dtype, not {} and {}", types[0].to_string(), type.to_string()));
    }
  }
}

Cost cost_of(const Graph& graph, const Node& node) {
  const OpDef& def = op_def(node.op);
  const std::vector<Type> inputs = graph.input_types(node);
  if (def.cost != nullptr) return def.cost(node, inputs);
  Cost cost;
  if (def.view) return cost;
  for (const Type& type : inputs) cost.bytes += static_cast<double>(type.bytes());
  for (const Type& type : node.outputs) {
    cost.bytes += static_cast<double>(type.bytes());
    cost.flops += static_cast<double>(type.shape.elements());
  }
  return cost;
}

}  // namespace sesame
