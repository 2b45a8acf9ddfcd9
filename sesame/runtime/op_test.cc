// Every op, held to its contract through the cases of op_cases.h: fast kernels against the reference, fused ops against
// their decompositions, one thread against several, in place against out of place, programs against the interpreter.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <set>

#include "sesame/runtime/op_checks.h"

namespace sesame {
namespace {

using namespace op_checks;

INSTANTIATE_TEST_SUITE_P(All, OpTest, testing::ValuesIn(ops_where([](const OpDef&) { return true; })), test_name);

class FusedOpTest : public OpTest {};
INSTANTIATE_TEST_SUITE_P(All, FusedOpTest,
                         testing::ValuesIn(ops_where([](const OpDef& def) { return def.decompose != nullptr; })),
                         test_name);

TEST_P(OpTest, IsCovered) {
  int differentiable = 0;
  std::set<std::string> names;
  for (const OpCase* op_case : cases()) {
    differentiable += op_case->differentiable ? 1 : 0;
    names.insert(op_case->name());
  }
  EXPECT_GE(names.size(), 3u) << "op_cases.cc: at least three different cases of " << name_of(op());
  EXPECT_EQ(names.size(), cases().size()) << "two cases of one name";
  EXPECT_EQ(differentiable > 0, op_def(op()).vjp != nullptr)
      << name_of(op()) << ": a gradient rule needs a differentiable case, and only a rule can have one";
  EXPECT_FALSE(op_def(op()).doc.empty());
}

TEST_P(OpTest, FastKernelEqualsReference) {
  ThreadPool threads(1);
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase exact(*op_case, DType::f64);
    Interpreter reference(exact.graph, ref_backend(), threads);
    const auto expected = run_outputs(reference, exact.graph, exact.inputs);

    const BuiltCase built(*op_case, DType::f32);
    const auto served = [](const Graph& g, const Node& n) { return has_kernel(cpu_backend(), g, n); };
    const Graph lowered = lower(built.graph, served);
    Interpreter fast(lowered, cpu_backend(), threads);
    expect_close(run_outputs(fast, lowered, built.inputs), expected, op_case->tolerance, op_case->least_magnitude);
  }
}

TEST_P(OpTest, ReferenceInFloat32EqualsFloat64) {
  ThreadPool threads(1);
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase exact(*op_case, DType::f64);
    Interpreter reference(exact.graph, ref_backend(), threads);
    const auto expected = run_outputs(reference, exact.graph, exact.inputs);
    const BuiltCase built(*op_case, DType::f32);
    Interpreter single(built.graph, ref_backend(), threads);
    expect_close(run_outputs(single, built.graph, built.inputs), expected, op_case->tolerance,
                 op_case->least_magnitude);
  }
}

TEST_P(FusedOpTest, DecompositionEqualsFusedOp) {
  ThreadPool threads(1);
  const auto all_but_this = [&](const Graph&, const Node& node) { return node.op != op(); };
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase built(*op_case, DType::f64);
    Interpreter fused(built.graph, ref_backend(), threads);
    const auto expected = run_outputs(fused, built.graph, built.inputs);

    const Graph lowered = lower(built.graph, all_but_this);
    verify(lowered);
    for (NodeId id = 0; id < lowered.size(); ++id) ASSERT_NE(lowered.node(id).op, op());
    Interpreter composed(lowered, ref_backend(), threads);
    expect_close(run_outputs(composed, lowered, built.inputs), expected, 1e-11, op_case->least_magnitude);
  }
}

TEST_P(OpTest, SameBitsForAnyNumberOfThreads) {
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase built(*op_case, DType::f32);
    const auto served = [](const Graph& g, const Node& n) { return has_kernel(cpu_backend(), g, n); };
    const Graph lowered = lower(built.graph, served);
    ThreadPool one(1);
    Interpreter alone(lowered, cpu_backend(), one);
    const auto expected = run_outputs(alone, lowered, built.inputs);
    for (const int count : {2, 3}) {
      ThreadPool several(count);
      Interpreter together(lowered, cpu_backend(), several);
      expect_same_bits(run_outputs(together, lowered, built.inputs), expected);
    }
  }
}

TEST_P(OpTest, ProgramEqualsInterpreter) {
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase built(*op_case, DType::f32);
    expect_program_equals_interpreter(built.graph, built.inputs, cpu_backend(), op_case->tolerance,
                                      op_case->least_magnitude);
  }
}

/// They are for the clock; here only that each can be built, with the op that it names.
TEST(LargeOpCasesTest, AreLegalGraphs) {
  std::set<std::string> names;
  for (const OpCase& op_case : large_op_cases()) {
    const BuiltCase built(op_case, DType::f32);
    EXPECT_NO_THROW(verify(built.graph)) << op_case.name();
    EXPECT_TRUE(names.insert(op_case.name()).second) << op_case.name();
  }
  EXPECT_GT(names.size(), 20u);
}

/// All outputs of one node that runs again with output `o` laid over input `i`, the other operands being where the
/// interpreter left them.
std::vector<std::vector<std::byte>> run_in_place(const Interpreter& done, const Graph& graph, NodeId id, size_t o,
                                                 size_t i, const Backend& backend, ThreadPool& threads) {
  const Node& node = graph.node(id);
  const Kernel& kernel = *backend.find(node.op, kernel_dtype(graph, node));
  const std::vector<Type> types = graph.input_types(node);
  std::vector<std::unique_ptr<void, decltype(&std::free)>> storage;
  const auto allocate = [&](size_t bytes) {
    storage.emplace_back(std::aligned_alloc(64, (bytes + 127) / 64 * 64), &std::free);
    return storage.back().get();
  };
  std::vector<Tensor> in;
  for (const Ref ref : node.inputs) in.push_back(done.value(ref));
  std::vector<Tensor> out;
  for (const Type& type : node.outputs) out.push_back({allocate(static_cast<size_t>(type.bytes())), type});
  const auto bytes = static_cast<size_t>(out[o].type.bytes());
  std::memcpy(out[o].data, in[i].data, bytes);
  in[i].data = out[o].data;
  const size_t scratch = kernel.workspace != nullptr ? kernel.workspace(node, types, threads.threads()) : 0;
  const KernelCall call{&node, in, out, static_cast<std::byte*>(allocate(scratch)), &kState, &threads};
  kernel.run(call);
  std::vector<std::vector<std::byte>> written;
  for (const Tensor& tensor : out) {
    written.emplace_back(tensor.as<std::byte>(), tensor.as<std::byte>() + tensor.type.bytes());
  }
  return written;
}

class InPlaceOpTest : public OpTest {};
INSTANTIATE_TEST_SUITE_P(All, InPlaceOpTest, testing::ValuesIn(ops_where([](const OpDef& def) {
                           return def.in_place != std::array<uint32_t, 3>{};
                         })),
                         test_name);

TEST_P(InPlaceOpTest, SameBitsInPlace) {
  ThreadPool threads(2);
  int tried = 0;
  const auto try_node = [&](const Interpreter& done, const Graph& graph, NodeId id, const Backend& backend) {
    const Node& node = graph.node(id);
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const bool allowed = (op_def(op()).in_place[o] >> i & 1) != 0;
        if (!allowed || graph.type(node.inputs[i]) != node.outputs[o]) continue;
        const auto actual = run_in_place(done, graph, id, o, i, backend, threads);
        for (size_t p = 0; p < actual.size(); ++p) {
          const Tensor expected = done.value({id, static_cast<int32_t>(p)});
          EXPECT_EQ(std::memcmp(actual[p].data(), expected.data, actual[p].size()), 0)
              << backend.name() << ": output " << p << " with output " << o << " in place of input " << i;
        }
        ++tried;
      }
    }
  };
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase built(*op_case, DType::f32);
    for (const Backend* backend : {&ref_backend(), &cpu_backend()}) {
      const auto served = [&](const Graph& g, const Node& n) { return has_kernel(*backend, g, n); };
      const Graph lowered = lower(built.graph, served);
      Interpreter interpreter(lowered, *backend, threads);
      run_outputs(interpreter, lowered, built.inputs);
      for (NodeId id = 0; id < lowered.size(); ++id) {
        if (lowered.node(id).op == op()) try_node(interpreter, lowered, id, *backend);
      }
    }
  }
  EXPECT_GT(tried, 0) << "no case has an input of the output's type";
}

/// A table for the documentation, printed on demand: --gtest_filter='*SupportTable*'. "cpu" names the dtypes that have
/// a fast kernel of their own; the rest runs on the reference kernel.
TEST(OpDocumentation, SupportTable) {
  const auto dtypes = [](Op op, const auto& listed) {
    std::string names;
    for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::boolean}) {
      if (listed(op, dtype)) names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(dtype));
    }
    return names.empty() ? std::string("-") : names;
  };
  const auto in_ref = [](Op op, DType dtype) { return ref_backend().find(op, dtype) != nullptr; };
  const auto in_cpu = [](Op op, DType dtype) { return cpu_backend().find(op, dtype) != ref_backend().find(op, dtype); };
  std::string table = "| op | what | gradient | decomposition | ref | cpu |\n|---|---|---|---|---|---|\n";
  for (const Op op : ops_where([](const OpDef&) { return true; })) {
    const OpDef& def = op_def(op);
    std::string doc(def.doc);
    for (size_t bar = doc.find('|'); bar != std::string::npos; bar = doc.find('|', bar + 2)) doc.insert(bar, 1, '\\');
    table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", def.name, doc, def.vjp != nullptr ? "yes" : "-",
                         def.decompose != nullptr ? "yes" : "-", dtypes(op, in_ref), dtypes(op, in_cpu));
    const bool runs = !def.view && op != Op::input && op != Op::variable;
    EXPECT_EQ(runs, dtypes(op, in_ref) != "-") << def.name;
  }
  if (GTEST_FLAG_GET(filter).find("SupportTable") != std::string::npos) fmt::print("{}", table);
}

}  // namespace
}  // namespace sesame
