#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "sesame/backend/op_cases.h"
#include "sesame/backend/ref/interpreter.h"
#include "sesame/graph/op_def.h"
#include "sesame/passes/lower.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/runtime/program.h"

/// What the tests that walk the registry of ops share: which cases to run, how to run them, how to compare.
namespace sesame {

/// How GoogleTest writes an op.
inline void PrintTo(Op op, std::ostream* out) { *out << name_of(op); }

namespace op_checks {

inline constexpr uint64_t kSeed = 20;
inline constexpr StepState kState{.seed = 3, .step = 11};

inline std::vector<const OpCase*> cases_of(Op op) {
  std::vector<const OpCase*> cases;
  for (const OpCase& op_case : op_cases()) {
    if (op_case.op == op) cases.push_back(&op_case);
  }
  return cases;
}

inline bool has_kernel(const Backend& backend, const Graph& graph, const Node& node) {
  return backend.find(node.op, kernel_dtype(graph, node)) != nullptr;
}

inline std::vector<double> as_doubles(const Tensor& tensor) {
  std::vector<double> values(static_cast<size_t>(tensor.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    switch (tensor.type.dtype) {
      case DType::f32:
        values[i] = tensor.as<const float>()[i];
        break;
      case DType::f64:
        values[i] = tensor.as<const double>()[i];
        break;
      case DType::i32:
        values[i] = tensor.as<const int32_t>()[i];
        break;
      case DType::boolean:
        values[i] = tensor.as<const uint8_t>()[i];
        break;
    }
  }
  return values;
}

/// The named outputs of a case's graph (as it is, or after a pass) on one backend.
inline std::vector<Tensor> run_outputs(Interpreter& interpreter, const Graph& graph,
                                       std::span<const CaseInput> inputs) {
  for (const CaseInput& input : inputs) fill(input, kSeed, interpreter.leaf(input.name));
  interpreter.run(kState);
  std::vector<Tensor> outputs;
  for (const Graph::Output& output : graph.outputs()) outputs.push_back(interpreter.output(output.name));
  return outputs;
}

inline void expect_close(std::span<const Tensor> actual, std::span<const Tensor> expected, double tolerance,
                         double least_magnitude) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t o = 0; o < actual.size(); ++o) {
    ASSERT_EQ(actual[o].type.shape, expected[o].type.shape);
    const std::vector<double> a = as_doubles(actual[o]);
    const std::vector<double> e = as_doubles(expected[o]);
    double largest = least_magnitude;
    for (const double value : e) largest = std::max(largest, std::abs(value));
    ASSERT_TRUE(std::isfinite(largest)) << "output " << o;
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_LE(std::abs(a[i] - e[i]), tolerance * largest)
          << "output " << o << ", element " << i << " of " << a.size() << ": " << a[i] << " against " << e[i];
    }
  }
}

inline void expect_same_bits(std::span<const Tensor> a, std::span<const Tensor> b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t o = 0; o < a.size(); ++o) {
    ASSERT_EQ(a[o].type, b[o].type);
    EXPECT_EQ(std::memcmp(a[o].data, b[o].data, static_cast<size_t>(a[o].type.bytes())), 0) << "output " << o;
  }
}

/// A graph run as a program (simplified, planned, in place) and by the interpreter.
inline void expect_program_equals_interpreter(const Graph& graph, std::span<const CaseInput> inputs,
                                              const Backend& backend, double tolerance, double least_magnitude) {
  ThreadPool threads(2);
  const auto served = [&](const Graph& g, const Node& n) { return has_kernel(backend, g, n); };
  const Graph lowered = lower(graph, served);
  Interpreter interpreter(lowered, backend, threads);
  const auto expected = run_outputs(interpreter, lowered, inputs);

  Variables variables;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op != Op::variable) continue;
    const auto& leaf = graph.node(id).attributes_as<LeafAttributes>();
    if (!variables.contains(leaf.name)) variables.create(leaf.name, leaf.type);
  }
  Program program(graph, {.backend = &backend, .threads = &threads, .variables = &variables});
  check_plan(program.graph(), program.plan());
  // The second run finds the first one's bytes in the arena.
  for (int run = 0; run < 2; ++run) {
    for (const CaseInput& input : inputs) fill(input, kSeed, program.input(input.name));
    program.run(kState);
    std::vector<Tensor> actual;
    for (const Graph::Output& output : graph.outputs()) actual.push_back(program.output(output.name));
    expect_close(actual, expected, tolerance, least_magnitude);
  }
}

inline std::vector<Op> ops_where(bool (*holds)(const OpDef&)) {
  std::vector<Op> ops;
  for (int i = 0; i < kOpCount; ++i) {
    if (holds(op_def(static_cast<Op>(i)))) ops.push_back(static_cast<Op>(i));
  }
  return ops;
}

inline std::string test_name(const testing::TestParamInfo<Op>& op) { return std::string(name_of(op.param)); }

class OpTest : public testing::TestWithParam<Op> {
 protected:
  [[nodiscard]] static Op op() { return GetParam(); }
  [[nodiscard]] static std::vector<const OpCase*> cases() { return cases_of(op()); }
};

}  // namespace op_checks
}  // namespace sesame
