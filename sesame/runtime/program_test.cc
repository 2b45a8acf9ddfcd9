#include "sesame/runtime/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>
#include <tuple>

#include "sesame/base/error.h"
#include "sesame/base/error_of.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/vjp.h"
#include "sesame/runtime/allocation_counter.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

Type f32(Shape shape) { return {DType::f32, shape}; }

/// A two-layer network with dropout: loss, gradients into "grad/...", and one step of descent.
Graph small_step() {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({64, 32}));
  const Value targets = b.input("targets", {DType::i32, {64}});
  const Value w = b.variable("w", f32({32, 32}));
  const Value head = b.variable("head", f32({10, 32}));
  const Value bias = b.variable("bias", f32({32}));
  const Value h = dropout(bias_gelu(matmul(x, w), bias), 0.25);
  const Value loss = linear_cross_entropy(h, head, targets);
  b.output("loss", loss);
  const std::vector<Value> parameters = {w, head, bias};
  const auto grads = gradients(b, loss, parameters);
  for (size_t i = 0; i < grads.size(); ++i) b.update(parameters[i], parameters[i] - scale(grads[i], 0.5));
  return graph;
}

struct Fixture {
  Variables variables;
  ThreadPool threads;
  Program program;

  explicit Fixture(const Graph& graph, int thread_count = 1, const Backend* backend = nullptr)
      : variables(make_variables()),
        threads(thread_count),
        program(graph, {.backend = backend, .threads = &threads, .variables = &variables, .arena = nullptr}) {}

  static Variables make_variables() {
    Variables variables;
    for (const auto& [name, shape] :
         {std::pair<const char*, Shape>{"w", {32, 32}}, std::pair<const char*, Shape>{"head", {10, 32}},
          std::pair<const char*, Shape>{"bias", {32}}}) {
      const Tensor tensor = variables.create(name, f32(shape));
      for (int64_t i = 0; i < tensor.elements(); ++i) {
        tensor.as<float>()[i] = 0.3f * std::sin(static_cast<float>(i * i + 1));
      }
    }
    return variables;
  }

  float step(uint64_t number) {
    const Tensor x = program.input("x");
    const Tensor targets = program.input("targets");
    for (int64_t i = 0; i < x.elements(); ++i) x.as<float>()[i] = std::cos(static_cast<float>(i));
    for (int64_t i = 0; i < targets.elements(); ++i) targets.as<int32_t>()[i] = static_cast<int32_t>(i % 10);
    program.run({.seed = 1, .step = number});
    return *program.output("loss").as<float>();
  }
};

TEST(AllocationCounterTest, SeesAnAllocation) {
  const int64_t before = allocation_count();
  const auto held = std::make_unique<std::atomic<int>>(1);
  EXPECT_EQ(held->load(), 1);
  EXPECT_GT(allocation_count(), before);
}

TEST(ProgramTest, ComputesAndUpdatesVariablesInPlace) {
  Fixture run(small_step());
  const float first = run.step(0);
  EXPECT_NEAR(first, std::log(10.0f), 0.5f);
  float last = first;
  for (uint64_t i = 1; i < 60; ++i) last = run.step(i);
  EXPECT_LT(last, first - 0.2f);
  EXPECT_TRUE(run.program.plan().copies.empty()) << to_string(run.program.graph(), run.program.plan());
}

TEST(ProgramTest, AStepAllocatesNothing) {
  for (const int threads : {1, 2}) {
    Fixture run(small_step(), threads);
    run.step(0);
    const int64_t before = allocation_count();
    for (uint64_t i = 1; i < 20; ++i) run.step(i);
    EXPECT_EQ(allocation_count(), before) << threads << " threads";
  }
}

TEST(ProgramTest, ThreadsDoNotChangeABit) {
  Fixture one(small_step(), 1);
  Fixture two(small_step(), 2);
  for (uint64_t i = 0; i < 20; ++i) {
    ASSERT_EQ(one.step(i), two.step(i)) << "step " << i;
  }
  for (const char* name : {"w", "head", "bias"}) {
    const Tensor a = one.variables.get(name);
    const Tensor b = two.variables.get(name);
    EXPECT_EQ(std::memcmp(a.data, b.data, static_cast<size_t>(a.type.bytes())), 0) << name;
  }
}

TEST(ProgramTest, RefAndCpuAgree) {
  Fixture ref(small_step(), 1, &ref_backend());
  Fixture cpu(small_step(), 1, &cpu_backend());
  for (uint64_t i = 0; i < 10; ++i) EXPECT_NEAR(ref.step(i), cpu.step(i), 1e-4) << "step " << i;
}

TEST(ProgramTest, RandomnessDependsOnTheStepAndIsDrawnAgainForTheSameStep) {
  Graph graph;
  Builder b(graph);
  b.output("y", dropout(b.input("x", f32({1000})), 0.5));
  ThreadPool threads(1);
  Program program(graph, {.threads = &threads});
  const auto draw = [&](uint64_t seed, uint64_t step) {
    std::fill_n(program.input("x").as<float>(), 1000, 1.0f);
    program.run({.seed = seed, .step = step});
    return std::vector<float>(program.output("y").as<float>(), program.output("y").as<float>() + 1000);
  };
  EXPECT_EQ(draw(1, 7), draw(1, 7));
  EXPECT_NE(draw(1, 7), draw(1, 8));
  EXPECT_NE(draw(1, 7), draw(2, 7));
  const std::vector<float> once = draw(3, 3);
  EXPECT_NEAR(std::accumulate(once.begin(), once.end(), 0.0) / 1000, 1.0, 0.15);
}

TEST(ProgramTest, NamesWhatIsMissing) {
  ThreadPool threads(1);
  Graph graph;
  Builder b(graph);
  b.output("logits", exp(b.variable("wte", f32({4})) + b.input("tokens", f32({4}))));
  Variables variables;
  EXPECT_THAT(error_of([&] { Program(graph, {.threads = &threads, .variables = &variables}); }), HasSubstr("\"wte\""));
  variables.create("wte", f32({5}));
  EXPECT_THAT(error_of([&] { Program(graph, {.threads = &threads, .variables = &variables}); }),
              HasSubstr("float32 [5]"));
  Variables right;
  right.create("wte", f32({4}));
  const Program program(graph, {.threads = &threads, .variables = &right});
  EXPECT_THAT(error_of([&] { std::ignore = program.input("token"); }), HasSubstr("did you mean \"tokens\""));
  EXPECT_THAT(error_of([&] { std::ignore = program.output("logit"); }), HasSubstr("did you mean \"logits\""));
  EXPECT_THAT(error_of([&] { Program(graph, {.variables = &right}); }), HasSubstr("thread pool"));
}

TEST(ProgramTest, ProgramsShareAnArenaOfTheLargerSize) {
  ThreadPool threads(1);
  const auto arena = std::make_shared<Arena>();
  const auto program_of = [&](int64_t size) {
    Graph graph;
    Builder b(graph);
    b.output("y", exp(b.input("x", f32({size}))));
    return Program(graph, {.threads = &threads, .arena = arena});
  };
  const Program small = program_of(1000);
  const Program large = program_of(4'000'000);
  EXPECT_EQ(small.input("x").data, large.input("x").data);
  EXPECT_GE(arena->bytes(), static_cast<size_t>(large.plan().arena_bytes));
  EXPECT_LT(arena->bytes(), static_cast<size_t>(large.plan().arena_bytes) + (size_t{2} << 20));
}

TEST(ArenaTest, KeepsItsAddressAndRefusesMoreThanThereIs) {
  Arena arena;
  std::byte* start = arena.ensure(100);
  start[99] = std::byte{1};
  EXPECT_EQ(arena.ensure(10'000'000), start);
  EXPECT_EQ(start[99], std::byte{1});
  EXPECT_THAT(error_of([&] { arena.ensure(size_t{1} << 50); }), HasSubstr("smaller batch"));
}

TEST(VariablesTest, SlicesOfAFlatTensorAreAlignedAndNamed) {
  Variables variables;
  const std::vector<Variables::Slice> slices = {{"a", {3}}, {"b", {2, 8}}, {"c", {1}}};
  const Tensor flat = variables.create_flat("all", DType::f32, slices);
  EXPECT_EQ(flat.elements(), 48);
  variables.get("b").as<float>()[0] = 7;
  EXPECT_EQ(flat.as<float>()[16], 7);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(variables.get("c").data) % 64, 0u);
  EXPECT_THAT(error_of([&] { variables.create("a", f32({1})); }), HasSubstr("two named \"a\""));
  EXPECT_THAT(error_of([&] { std::ignore = variables.get("al"); }), HasSubstr("did you mean"));
}

}  // namespace
}  // namespace sesame
