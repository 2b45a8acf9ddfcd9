#include "sesame/backend/kernel.h"

namespace sesame {

DType kernel_dtype(const Graph& graph, const Node& node) {
  for (Ref input : node.inputs) {
    if (is_floating(graph.type(input).dtype)) return graph.type(input).dtype;
  }
  for (const Type& output : node.outputs) {
    if (is_floating(output.dtype)) return output.dtype;
  }
  return node.outputs.front().dtype;
}

}  // namespace sesame
