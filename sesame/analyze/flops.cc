#include "sesame/analyze/flops.h"

#include <fmt/format.h>

namespace sesame {
namespace {

double product(double rows, double inner, double columns) { return 2 * rows * inner * columns; }

/// One of attention's products over all heads; half of it under a causal mask.
double attention_product(const AttentionAttributes& a,
                         const Shape& qkv) {  // [batch, time, (heads + 2 kv_heads) head_dim]
  const auto batch = static_cast<double>(qkv[0]);
  const auto time = static_cast<double>(qkv[1]);
  const double width =
      static_cast<double>(qkv[2]) * static_cast<double>(a.heads) / static_cast<double>(a.heads + 2 * a.kv_heads);
  return batch * product(time, width, time) * (a.causal ? 0.5 : 1.0);
}

double matmul_flops(const Graph& graph, const Node& node) {
  const auto& a = node.attributes_as<MatmulAttributes>();
  const Shape& left = graph.type(node.inputs[0]).shape;
  const double inner = static_cast<double>(a.transpose_a ? left[-2] : left[-1]);
  return 2 * inner * static_cast<double>(node.outputs[0].shape.elements());
}

/// One product of x [N, C] with w [V, C].
double projection(const Graph& graph, const Node& node) {
  const Shape& x = graph.type(node.inputs[0]).shape;
  const Shape& w = graph.type(node.inputs[1]).shape;
  return product(static_cast<double>(x[0]), static_cast<double>(x[1]), static_cast<double>(w[0]));
}

}  // namespace

double model_flops(const Graph& graph, const Node& node) {
  if (node.replay > 0) return 0;
  switch (node.op) {
    case Op::matmul:
      return matmul_flops(graph, node);
    case Op::attention:
      return 2 * attention_product(node.attributes_as<AttentionAttributes>(), graph.type(node.inputs[0]).shape);
    case Op::attention_grad:
      return 4 * attention_product(node.attributes_as<AttentionAttributes>(), graph.type(node.inputs[0]).shape);
    case Op::linear_cross_entropy:
      return projection(graph, node);
    case Op::linear_cross_entropy_grad:
      return 2 * projection(graph, node);
    case Op::linear_cross_entropy_step:
      return 3 * projection(graph, node);
    case Op::cached_attention: {
      const Shape& qkv = graph.type(node.inputs[0]).shape;
      const Shape& keys = graph.type(node.inputs[1]).shape;  // [batch, capacity, kv_heads * head_dim]
      const auto& a = node.attributes_as<AttentionAttributes>();
      const double width =
          static_cast<double>(keys[2]) * static_cast<double>(a.heads) / static_cast<double>(a.kv_heads);
      return 2 * static_cast<double>(qkv[0]) *
             product(static_cast<double>(qkv[1]), width, static_cast<double>(keys[1]));
    }
    default:
      return 0;
  }
}

double model_flops(const Graph& graph) {
  double sum = 0;
  for (NodeId id = 0; id < graph.size(); ++id) sum += model_flops(graph, graph.node(id));
  return sum;
}

double rule_of_thumb_flops(int64_t matmul_parameters, int64_t layers, int64_t time, int64_t width) {
  return 6.0 * static_cast<double>(matmul_parameters) +
         12.0 * static_cast<double>(layers) * static_cast<double>(time) * static_cast<double>(width);
}

std::string flops_text(double flops) {
  const char* units[] = {"", "k", "M", "G", "T", "P", "E"};
  size_t unit = 0;
  for (; flops >= 999.5 && unit < 6; ++unit) flops /= 1000;
  return fmt::format("{:.{}f} {}FLOP", flops, unit == 0 || flops >= 99.95 ? 0 : flops >= 9.995 ? 1 : 2, units[unit]);
}

}  // namespace sesame
