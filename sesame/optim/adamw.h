#pragma once

#include <array>
#include <span>
#include <vector>

#include "sesame/nn/parameters.h"

namespace sesame {

/// How parameters lie in one flat buffer: those that decay first, each group in the order of first use, each tensor at
/// a multiple of 64 bytes. It is the layout of Variables::create_flat for float32.
struct FlatLayout {
  std::vector<Parameter> order;
  std::vector<int64_t> offsets;  // in elements, of order[i]
  int64_t decayed = 0;           // elements before the first parameter that does not decay
  int64_t elements = 0;          // of the whole buffer, gaps included
};
FlatLayout flat_layout(std::span<const Parameter> parameters);

/// The squared global norm of the flat variable "gradients" float32 [elements]: output "grad_norm_squared" float64 [].
Graph grad_norm_graph(int64_t elements);

/// The optimiser's part of a step over the flat variables "parameters", "gradients", "adam.first_moment" and
/// "adam.second_moment", all float32 [elements]. Inputs "hyper" float32 [3] (adamw_hyper) and "grad_norm_squared"
/// float64
/// []: the norm is not computed here, so that a step can be refused before it changes anything. Updates parameters and
/// moments; the gradients stay as they are. Set attributes.decayed from the layout.
Graph adamw_graph(int64_t elements, const AdamWAttributes& attributes);

/// {learning rate, 1 - beta1^t, 1 - beta2^t} of update t = 1, 2, ...
std::array<float, 3> adamw_hyper(double learning_rate, int64_t t, const AdamWAttributes& attributes);

}  // namespace sesame
