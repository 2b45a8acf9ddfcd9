#pragma once

#include <string>
#include <vector>

#include "sesame/graph/graph.h"

namespace sesame {

/// Which values lie in the same bytes, and why.
struct SharedBuffers {
  /// The value whose buffer [node][output] uses: itself, what it is a view of, or what it is computed in place of.
  std::vector<std::vector<Ref>> root;
  /// [node][output]: the variable in whose storage the buffer of this root lies, or -1 for the arena.
  std::vector<std::vector<NodeId>> variable;
  std::vector<std::vector<std::string>> reason;
  /// Updates whose value could not be computed in the variable's own storage.
  std::vector<Graph::Update> copies;

  [[nodiscard]] Ref root_of(Ref ref) const {
    return root[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)];
  }
  [[nodiscard]] NodeId variable_of(Ref ref) const {
    const Ref r = root_of(ref);
    return variable[static_cast<size_t>(r.node)][static_cast<size_t>(r.output)];
  }
};

/// Decides sharing for nodes that run in the order of their ids: views always; the value of an update in the storage of
/// its variable when nothing still needs the old value; other in-place ops where the op allows it and the operand is
/// read for the last time.
SharedBuffers share_buffers(const Graph& graph);

}  // namespace sesame
