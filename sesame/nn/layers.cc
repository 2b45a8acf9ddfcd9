#include "sesame/nn/layers.h"

#include "sesame/graph/ops/ops.h"

namespace sesame {

namespace {

Value linear(Parameters& parameters, std::string_view name, Value x, const LinearOptions& options, bool transposed) {
  Builder& builder = x.builder();
  const Builder::Scope scope(builder, name);
  const int64_t in = x.shape()[-1];
  const Shape weight = transposed ? Shape{options.outputs, in} : Shape{in, options.outputs};
  MatmulOptions matmul_options;
  matmul_options.transpose_b = transposed;
  const Value w = parameters.get(builder, "weight", weight, Init::normal(options.std));
  if (options.bias) matmul_options.bias = parameters.get(builder, "bias", {options.outputs}, Init::zeros());
  return matmul(x, w, matmul_options);
}

}  // namespace

Value linear_in_out(Parameters& parameters, std::string_view name, Value x, LinearOptions options) {
  return linear(parameters, name, x, options, false);
}

Value linear_out_in(Parameters& parameters, std::string_view name, Value x, LinearOptions options) {
  return linear(parameters, name, x, options, true);
}

Value linear_gelu(Parameters& parameters, std::string_view name, Value x, LinearOptions options) {
  options.bias = false;
  const Value y = linear(parameters, name, x, options, false);
  const Builder::Scope scope(x.builder(), name);
  return bias_gelu(y, parameters.get(x.builder(), "bias", {options.outputs}, Init::zeros()));
}

Value embedding_layer(Parameters& parameters, std::string_view name, Value ids, const Shape& table, double std) {
  const Builder::Scope scope(ids.builder(), name);
  return embedding(parameters.get(ids.builder(), "weight", table, Init::normal(std)), ids);
}

Value layer_norm_layer(Parameters& parameters, std::string_view name, Value x, double epsilon) {
  Builder& builder = x.builder();
  const Builder::Scope scope(builder, name);
  const Shape channels{x.shape()[-1]};
  const Value gain = parameters.get(builder, "weight", channels, Init::ones());
  const Value bias = parameters.get(builder, "bias", channels, Init::zeros());
  return layer_norm(x, gain, bias, epsilon);
}

Value rms_norm_layer(Parameters& parameters, std::string_view name, Value x, double epsilon) {
  Builder& builder = x.builder();
  const Builder::Scope scope(builder, name);
  return rms_norm(x, parameters.get(builder, "weight", {x.shape()[-1]}, Init::ones()), epsilon);
}

}  // namespace sesame
