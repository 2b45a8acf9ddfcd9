#pragma once

#include <cstdint>
#include <string>

#include "sesame/graph/graph.h"

namespace sesame {

/// The floating-point operations (a multiply-add counts two) that the mathematics asks of one node: its matrix products
/// alone. Forward attention counts two products and its gradient four, half of each where a causal mask makes half of
/// it zero. What is computed again to save memory (replayed nodes, scores in attention's gradient, logits in the
/// loss's) and everything elementwise counts nothing: so a share of peak in these units is of useful work.
double model_flops(const Graph& graph, const Node& node);

/// The sum over the graph.
double model_flops(const Graph& graph);

/// The usual rule of thumb for one token of training: 6 x parameters in matrix products + 12 x layers x time x width
/// (Chowdhery et al. 2022, appendix B, which counts the whole square of causal attention).
double rule_of_thumb_flops(int64_t matmul_parameters, int64_t layers, int64_t time, int64_t width);

/// "950 FLOP", "13.6 MFLOP", "20.8 GFLOP": powers of 1000, three digits.
std::string flops_text(double flops);

}  // namespace sesame
