// Random graphs of element-wise ops and reductions, as they are and fused: the same numbers, to the bit where nothing
// is added up in another order.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "sesame/graph/ops/ops.h"
#include "sesame/passes/fuse.h"
#include "sesame/passes/simplify.h"
#include "sesame/runtime/op_checks.h"
#include "sesame/simd/each_instruction_set.h"

namespace sesame {
namespace {

using namespace op_checks;

/// A graph drawn at random: values of one shape and of shapes that broadcast to it, products in between, and results
/// taken here and there.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed), builder_(graph_) {
    const std::vector<Shape> shapes = {{3, 5}, {2, 3, 40}, {67, 33}, {1, 1}, {9, 700}, {4, 1, 6}};
    shape_ = pick(shapes);
    for (int i = 0; i < 4; ++i) add_input(shape_);
    add_input({shape_[-1]});
    add_input(shape_.with(-1, 1));
    add_input(Shape{});
    for (int i = 0; i < 25; ++i) grow();
    for (int i = 0; i < 3; ++i) take(pick(wide_));
    take(wide_.back());
    take_reduction(pick(wide_));
    take_reduction(wide_.back());
  }

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] const std::vector<CaseInput>& inputs() const { return inputs_; }
  [[nodiscard]] bool is_reduced(size_t output) const { return reduced_[output]; }

 private:
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[static_cast<size_t>(at_most(static_cast<int>(from.size()) - 1))];
  }
  int at_most(int n) { return std::uniform_int_distribution<int>(0, n)(random_); }

  void add_input(const Shape& shape) {
    const Type type{DType::f32, shape};
    inputs_.push_back({fmt::format("input{}", inputs_.size()), type, 0.25, 2, false});
    const Value value = builder_.input(inputs_.back().name, type);
    (shape == shape_ ? wide_ : narrow_).push_back(value);
  }

  void grow() {
    const Value a = pick(wide_);
    const Value b = at_most(2) == 0 ? pick(narrow_) : pick(wide_);
    switch (at_most(11)) {
      case 0:
        return wide_.push_back(a + b);
      case 1:
        return wide_.push_back(b - a);
      case 2:
        return wide_.push_back(tanh(a) * b);
      case 3:
        return wide_.push_back(a / offset(b * b, 1));
      case 4:
        return wide_.push_back(select(less(a, b), b, a));
      case 5:
        return wide_.push_back(sigmoid(a));
      case 6:
        return wide_.push_back(dropout(a, 0.3));
      case 7:
        return wide_.push_back(sqrt(exp(erf(a))));
      case 8:
        return wide_.push_back(log(offset(a * a, 0.5)));
      case 9:
        return wide_.push_back(broadcast_to(b, shape_));
      case 10:
        return wide_.push_back(cast(less(a, b), DType::f32) - neg(a));
      default:
        // What cannot be fused.
        return wide_.push_back(permute(permute(a, backwards()), backwards()));
    }
  }

  [[nodiscard]] std::vector<int64_t> backwards() const {
    std::vector<int64_t> order;
    for (int axis = shape_.rank() - 1; axis >= 0; --axis) order.push_back(axis);
    return order;
  }

  void take(Value value) { output(value, false); }
  void take_reduction(Value value) {
    std::vector<int64_t> axes = {at_most(shape_.rank() - 1)};
    if (at_most(3) == 0) axes = {};
    output(at_most(1) == 0 ? reduce_sum(tanh(value), axes) : reduce_max(value, axes), true);
  }
  void output(Value value, bool reduced) {
    builder_.output(fmt::format("{}", reduced_.size()), value);
    reduced_.push_back(reduced);
  }

  std::mt19937 random_;
  Graph graph_;
  Builder builder_;
  Shape shape_;
  std::vector<CaseInput> inputs_;
  std::vector<Value> wide_, narrow_;
  std::vector<bool> reduced_;
};

TEST(FusedPrograms, ComputeWhatTheUnfusedDo) {
  int fused_nodes = 0;
  ThreadPool threads(2);
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const RandomGraph random(seed);
    const Graph plain = simplify(random.graph());
    const Graph graph = fuse(plain);
    verify(graph);
    for (NodeId id = 0; id < graph.size(); ++id) fused_nodes += graph.node(id).op == Op::fused ? 1 : 0;
    for_each_instruction_set([&](const char* instructions) {
      SCOPED_TRACE(instructions);
      Interpreter before(plain, cpu_backend(), threads), after(graph, cpu_backend(), threads);
      const auto expected = run_outputs(before, plain, random.inputs());
      const auto actual = run_outputs(after, graph, random.inputs());
      for (size_t o = 0; o < expected.size(); ++o) {
        if (random.is_reduced(o)) {
          expect_close({&actual[o], 1}, {&expected[o], 1}, 1e-5, 0);
        } else {
          expect_same_bits({&actual[o], 1}, {&expected[o], 1});
        }
      }
    });
    expect_program_equals_interpreter(random.graph(), random.inputs(), cpu_backend(), 1e-5, 0);
  }
  EXPECT_GT(fused_nodes, 60);
}

}  // namespace
}  // namespace sesame
