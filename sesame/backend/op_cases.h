#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sesame/backend/kernel.h"
#include "sesame/graph/builder.h"

namespace sesame {

/// One input of a case and how its values are drawn: uniform in [low, high); bool: both values alike.
struct CaseInput {
  std::string name;
  Type type;
  double low = 0;
  double high = 0;
  bool differentiable = false;
};

/// What the build function of a case makes its inputs with. `dtype` is the floating type that the case is built for.
class CaseBuilder {
 public:
  CaseBuilder(Builder& builder, DType dtype) : builder_(builder), dtype_(dtype) {}

  [[nodiscard]] Builder& builder() { return builder_; }
  [[nodiscard]] DType dtype() const { return dtype_; }

  /// A floating input whose gradient is checked where the case is differentiable.
  Value real(const Shape& shape, double low = -1, double high = 1) { return add({dtype_, shape}, low, high, true); }

  /// A floating input that is data, not a variable.
  Value fixed(const Shape& shape, double low = -1, double high = 1) { return add({dtype_, shape}, low, high, false); }

  /// int32 in [low, high).
  Value whole(const Shape& shape, int64_t low, int64_t high) {
    return add({DType::i32, shape}, static_cast<double>(low), static_cast<double>(high), false);
  }

  Value flags(const Shape& shape) { return add({DType::boolean, shape}, 0, 2, false); }

  [[nodiscard]] const std::vector<CaseInput>& inputs() const { return inputs_; }

 private:
  Value add(const Type& type, double low, double high, bool differentiable);

  Builder& builder_;
  DType dtype_;
  std::vector<CaseInput> inputs_;
};

/// One use of one op: the shapes, attributes and values under which it is tested and timed. The same case is checked
/// against finite differences, against the reference kernels, against its decomposition, for equal bits with one thread
/// and two, and timed against the roofline.
struct OpCase {
  Op op;
  std::string label;  // "causal, 4 heads over 2"
  std::function<std::vector<Value>(CaseBuilder&)> build;
  bool differentiable = true;        // check the gradient (float64, reference kernels)
  double tolerance = 1e-5;           // float32 against float64: error over the output's largest magnitude
  double least_magnitude = 0;        // ... or over this, where outputs are what is left after terms cancel
  double gradient_step = 1e-3;       // of the finite difference
  double gradient_tolerance = 1e-6;  // relative

  /// "attention: causal, 4 heads over 2"
  [[nodiscard]] std::string name() const;
};

/// Every op, at least three cases each: sizes 1, odd sizes, broadcasting, every option.
std::span<const OpCase> op_cases();

/// The sizes of real training steps: too large for the reference kernels, meant for the clock.
std::span<const OpCase> large_op_cases();

/// A case as a graph. The graph's outputs "0", "1", ... are all outputs of the nodes of the case's op, so that values
/// kept for the backward pass (means, log-sum-exps) are seen too.
struct BuiltCase {
  Graph graph;
  std::vector<CaseInput> inputs;
  std::vector<Ref> results;  // what the build function returned

  BuiltCase(const OpCase& op_case, DType dtype);
};

/// Writes an input's values: the same for every dtype (exact in float32) and run, different for each seed and name.
void fill(const CaseInput& input, uint64_t seed, const Tensor& tensor);

}  // namespace sesame
