#include "sesame/backend/op_cases.h"

#include <fmt/format.h>

#include <cmath>

#include "sesame/backend/op_cases/families.h"
#include "sesame/base/error.h"
#include "sesame/base/hash.h"
#include "sesame/base/philox.h"
#include "sesame/graph/op_def.h"

namespace sesame {

Value CaseBuilder::add(const Type& type, double low, double high, bool differentiable) {
  inputs_.push_back({fmt::format("input{}", inputs_.size()), type, low, high, differentiable});
  return builder_.input(inputs_.back().name, type);
}

std::string OpCase::name() const { return fmt::format("{}: {}", name_of(op), label); }

BuiltCase::BuiltCase(const OpCase& op_case, DType dtype) {
  Builder builder(graph);
  CaseBuilder case_builder(builder, dtype);
  for (const Value value : op_case.build(case_builder)) results.push_back(value.ref());
  inputs = case_builder.inputs();
  int count = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op != op_case.op) continue;
    for (size_t i = 0; i < graph.node(id).outputs.size(); ++i) {
      graph.output(std::to_string(count++), {id, static_cast<int32_t>(i)});
    }
  }
  if (count == 0) fail(fmt::format("the case \"{}\" makes no node of its op", op_case.name()));
}

namespace {

template <typename T>
void fill_elements(const CaseInput& input, const Philox& random, T* elements) {
  for (int64_t i = 0; i < input.type.shape.elements(); ++i) {
    const double uniform = Philox::uniform(random.word(static_cast<uint64_t>(i), 0));
    const double value = input.low + (input.high - input.low) * uniform;
    elements[i] = static_cast<T>(is_floating(input.type.dtype) ? static_cast<float>(value) : std::floor(value));
  }
}

}  // namespace

void fill(const CaseInput& input, uint64_t seed, const Tensor& tensor) {
  const Philox random(seed, xxh3(input.name));
  switch (input.type.dtype) {
    case DType::f32:
      return fill_elements(input, random, tensor.as<float>());
    case DType::f64:
      return fill_elements(input, random, tensor.as<double>());
    case DType::i32:
      return fill_elements(input, random, tensor.as<int32_t>());
    case DType::boolean:
      return fill_elements(input, random, tensor.as<uint8_t>());
  }
}

std::span<const OpCase> op_cases() {
  static const std::vector<OpCase> cases = [] {
    std::vector<OpCase> all;
    op_cases_of::elementwise(all);
    op_cases_of::fused(all);
    op_cases_of::layout(all);
    op_cases_of::matmul(all);
    op_cases_of::embedding(all);
    op_cases_of::normalisation(all);
    op_cases_of::activation(all);
    op_cases_of::attention(all);
    op_cases_of::cross_entropy(all);
    op_cases_of::optimizer(all);
    return all;
  }();
  return cases;
}

}  // namespace sesame
