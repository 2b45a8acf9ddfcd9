#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/graph/builder.h"

namespace sesame {

/// How a parameter begins.
struct Init {
  enum class Kind : uint8_t { zeros, ones, normal };
  Kind kind = Kind::zeros;
  double std = 0;  // normal: N(0, std^2)

  static Init zeros() { return {}; }
  static Init ones() { return {Kind::ones, 0}; }
  static Init normal(double std) { return {Kind::normal, std}; }
};

/// One trained tensor of a model.
struct Parameter {
  std::string name;
  Shape shape;
  Init init;
  /// Whether weight decay acts on it: tensors of rank >= 2 (matrices, embeddings) but not gains and biases.
  bool decay = false;
};

/// Collects the parameters that a model function asks for, in the order of first use.
class Parameters {
 public:
  /// float32 for work, float64 for gradient checks.
  explicit Parameters(DType dtype = DType::f32) : dtype_(dtype) {}

  /// The variable "<scope of builder>.<local_name>"; asked for again, the same one. Throws Error if it then has another
  /// shape.
  Value get(Builder& builder, std::string_view local_name, const Shape& shape, Init init);

  [[nodiscard]] std::span<const Parameter> list() const { return list_; }
  [[nodiscard]] DType dtype() const { return dtype_; }

  /// Numbers in all.
  [[nodiscard]] int64_t count() const;

 private:
  DType dtype_;
  std::vector<Parameter> list_;
  std::unordered_map<std::string, size_t> index_;
};

/// Numbers in all of a list of parameters.
int64_t count_of(std::span<const Parameter> parameters);

/// Writes a parameter's initial values: a pure function of its name, its Init and `seed`, whatever else the model has.
/// Normal values by Box and Muller's transform of Philox(seed, hash of name). values.size() must be the shape's element
/// count. The result does not depend on `threads`; null means the calling thread alone.
void initialise(const Parameter& parameter, uint64_t seed, std::span<float> values, ThreadPool* threads = nullptr);

}  // namespace sesame
