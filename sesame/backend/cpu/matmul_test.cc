#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "sesame/backend/cpu/gemm_kernels.h"

namespace sesame {
namespace {

struct Case {
  Shape a, b, out;
  MatmulAttributes attributes;
};

std::vector<float> random_floats(int64_t count, uint32_t seed) {
  std::vector<float> values(static_cast<size_t>(count));
  std::minstd_rand random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (float& value : values) value = uniform(random);
  return values;
}

/// Runs the kernel and compares each element with a double loop; in place where there is an accumulator and it is asked
/// for.
void check(const Case& c, bool in_place) {
  const std::vector<float> a = random_floats(c.a.elements(), 1);
  const std::vector<float> b = random_floats(c.b.elements(), 2);
  const int64_t m = c.out[-2];
  const int64_t n = c.out[-1];
  const int64_t k = c.a[c.attributes.transpose_a ? -2 : -1];
  const std::vector<float> bias = random_floats(n, 3);
  const std::vector<float> added = random_floats(c.out.elements(), 4);
  std::vector<float> out = in_place ? added : std::vector<float>(added.size(), -9.0F);

  Node node{Op::matmul, c.attributes, {}, {{DType::f32, c.out}}, "", {}};
  std::vector<Tensor> inputs;
  const auto add_input = [&](const std::vector<float>& data, const Shape& shape) {
    inputs.push_back({const_cast<float*>(data.data()), {DType::f32, shape}});
  };
  add_input(a, c.a);
  add_input(b, c.b);
  if (c.attributes.bias) add_input(bias, {n});
  if (c.attributes.accumulate) add_input(in_place ? out : added, c.out);
  const std::vector<Tensor> outputs = {{out.data(), {DType::f32, c.out}}};
  std::vector<Type> types;
  for (const Tensor& input : inputs) types.push_back(input.type);
  ThreadPool pool(2);
  std::vector<std::byte> memory(cpu_matmul.workspace(node, types, 2) + 64);
  KernelCall call;
  call.node = &node;
  call.inputs = inputs;
  call.outputs = outputs;
  call.workspace = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
  call.threads = &pool;
  cpu_matmul.run(call);

  for (int64_t i = 0; i < c.out.elements(); ++i) {
    const int64_t batch = i / (m * n);
    const int64_t row = i / n % m;
    const int64_t column = i % n;
    const int64_t b_batch = c.b.rank() == 2 ? 0 : batch;
    double sum = 0;
    for (int64_t p = 0; p < k; ++p) {
      const int64_t at_a = batch * m * k + (c.attributes.transpose_a ? p * m + row : row * k + p);
      const int64_t at_b = b_batch * k * n + (c.attributes.transpose_b ? column * k + p : p * n + column);
      sum += double{a[static_cast<size_t>(at_a)]} * double{b[static_cast<size_t>(at_b)]};
    }
    if (c.attributes.bias) sum += double{bias[static_cast<size_t>(column)]};
    if (c.attributes.accumulate) sum += double{added[static_cast<size_t>(i)]};
    ASSERT_NEAR(double{out[static_cast<size_t>(i)]}, sum, 2e-5) << "element " << i;
  }
}

TEST(Matmul, EveryAttributeOnPlainBatchedAndFoldedOperands) {
  for (int bits = 0; bits < 16; ++bits) {
    const MatmulAttributes attributes{(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
    SCOPED_TRACE(to_string(Attributes(attributes)));
    const auto a = [&](int64_t m, int64_t k) { return attributes.transpose_a ? std::pair(k, m) : std::pair(m, k); };
    const auto b = [&](int64_t k, int64_t n) { return attributes.transpose_b ? std::pair(n, k) : std::pair(k, n); };
    for (const int64_t m : {1, 17}) {
      const auto [a0, a1] = a(m, 70);
      const auto [b0, b1] = b(70, 35);
      std::vector<Case> cases = {{{a0, a1}, {b0, b1}, {m, 35}, attributes},
                                 {{2, 3, a0, a1}, {2, 3, b0, b1}, {2, 3, m, 35}, attributes}};
      if (!attributes.transpose_a) cases.push_back({{2, 3, a0, a1}, {b0, b1}, {2, 3, m, 35}, attributes});
      for (const Case& c : cases) {
        SCOPED_TRACE(c.a.to_string() + " " + c.b.to_string());
        check(c, false);
        if (attributes.accumulate) check(c, true);
      }
    }
  }
}

}  // namespace
}  // namespace sesame
