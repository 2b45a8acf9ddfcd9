// What lies in int32 inputs comes from outside: every backend refuses what it cannot use, and says where it stands.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/graph/ops/ops.h"
#include "sesame/runtime/op_checks.h"

namespace sesame {
namespace {

using namespace op_checks;

/// A graph of one case with its int32 input overwritten, run on a backend that must refuse it.
std::string refusal(const Backend& backend, const BuiltCase& built, const std::function<void(int32_t*)>& spoil) {
  ThreadPool threads(2);
  const auto served = [&](const Graph& g, const Node& n) { return has_kernel(backend, g, n); };
  const Graph lowered = lower(built.graph, served);
  Interpreter interpreter(lowered, backend, threads);
  for (const CaseInput& input : built.inputs) {
    const Tensor tensor = interpreter.leaf(input.name);
    fill(input, kSeed, tensor);
    if (input.type.dtype == DType::i32) spoil(tensor.as<int32_t>());
  }
  try {
    interpreter.run(kState);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

/// Values of int32 inputs, which no kernel may trust.
class BadValueTest : public testing::TestWithParam<const Backend*> {
 protected:
  std::string refused(Op op, const std::function<std::vector<Value>(CaseBuilder&)>& build,
                      const std::function<void(int32_t*)>& spoil) {
    return refusal(*GetParam(), BuiltCase({.op = op, .label = "bad values", .build = build}, DType::f32), spoil);
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, BadValueTest, testing::Values(&ref_backend(), &cpu_backend()),
                         [](const auto& backend) { return std::string(backend.param->name()); });

using testing::AllOf;
using testing::HasSubstr;

TEST_P(BadValueTest, EmbeddingIds) {
  const auto build = [](CaseBuilder& c) { return std::vector{embedding(c.real({50, 3}), c.whole({2, 9}, 0, 50))}; };
  EXPECT_THAT(refused(Op::embedding, build, [](int32_t* ids) { ids[13] = 50; }),
              AllOf(HasSubstr("embedding"), HasSubstr("id 50"), HasSubstr("position 13"), HasSubstr("[0, 50)")));
  EXPECT_THAT(refused(Op::embedding, build, [](int32_t* ids) { ids[0] = -7; }),
              AllOf(HasSubstr("id -7"), HasSubstr("position 0")));
}

TEST_P(BadValueTest, EmbeddingGradIds) {
  const auto build = [](CaseBuilder& c) {
    return std::vector{embedding_grad(c.real({9, 3}), c.whole({9}, 0, 50), 50)};
  };
  EXPECT_THAT(refused(Op::embedding_grad, build, [](int32_t* ids) { ids[8] = 2147483647; }),
              AllOf(HasSubstr("embedding_grad"), HasSubstr("id 2147483647"), HasSubstr("position 8")));
}

TEST_P(BadValueTest, Targets) {
  const auto build = [](CaseBuilder& c) {
    return std::vector{linear_cross_entropy(c.real({9, 3}), c.real({50, 3}), c.whole({9}, 0, 50))};
  };
  EXPECT_THAT(refused(Op::linear_cross_entropy, build, [](int32_t* targets) { targets[4] = 50; }),
              AllOf(HasSubstr("linear_cross_entropy"), HasSubstr("target 50"), HasSubstr("row 4")));
}

TEST_P(BadValueTest, StartOfCachedAttention) {
  const auto build = [](CaseBuilder& c) {
    const Value start = c.whole({1}, 0, 1);
    const CachedAttention step = cached_attention(c.real({1, 3, 6}), c.real({1, 8, 2}), c.real({1, 8, 2}), start, {});
    return std::vector{step.out};
  };
  const auto refuse = [&](int32_t start) {
    return refused(Op::cached_attention, build, [=](int32_t* value) { *value = start; });
  };
  EXPECT_EQ(refuse(5), "no error");
  EXPECT_THAT(refuse(6), AllOf(HasSubstr("cached_attention"), HasSubstr("6"), HasSubstr("8")));
  EXPECT_THAT(refuse(-1), AllOf(HasSubstr("cached_attention"), HasSubstr("-1")));
}

TEST_P(BadValueTest, StartOfRope) {
  const auto build = [](CaseBuilder& c) {
    const Value x = c.real({1, 3, 6});
    return std::vector{rope(x, c.whole({1}, 0, 1), {.heads = 1, .head_dim = 4})};
  };
  EXPECT_THAT(refused(Op::rope, build, [](int32_t* start) { *start = -2; }), AllOf(HasSubstr("rope"), HasSubstr("-2")));
}

}  // namespace
}  // namespace sesame
