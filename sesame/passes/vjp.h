#pragma once

#include <span>
#include <vector>

#include "sesame/graph/builder.h"

namespace sesame {

/// Reverse-mode differentiation as a pass: appends to `loss`'s graph the nodes that compute d loss / d x for each x in
/// `with_respect_to`, and returns them in order (a constant zero where loss does not depend on x). loss must be a
/// floating scalar; `seed` is the gradient of whatever follows it. Only what is needed for these x is built.
///
/// With `accumulators` (one per x, of its type; x must then be leaves) the results are accumulator + gradient; each sum
/// is written next to the product that it takes, so that simplify() can turn it into an accumulating product in place.
///
/// Throws Error naming an op on the way that has no gradient rule.
std::vector<Value> gradients(Builder& builder, Value loss, std::span<const Value> with_respect_to, double seed = 1.0,
                             std::span<const Value> accumulators = {});

}  // namespace sesame
