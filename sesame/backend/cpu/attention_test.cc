#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "sesame/backend/ref/interpreter.h"
#include "sesame/base/error.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/simd/each_instruction_set.h"

namespace sesame {
namespace {

struct Sizes {
  int64_t batch, time, heads, kv_heads, head_dim;
  bool causal;
  double dropout = 0;
  double low = -1, high = 1;

  [[nodiscard]] int64_t width() const { return (heads + 2 * kv_heads) * head_dim; }
  [[nodiscard]] AttentionAttributes attributes() const {
    return {heads, kv_heads, causal, 1 / std::sqrt(static_cast<double>(head_dim)), dropout, 99};
  }
  [[nodiscard]] std::string text() const {
    return "batch " + std::to_string(batch) + " time " + std::to_string(time) + " heads " + std::to_string(heads) +
           "/" + std::to_string(kv_heads) + " head_dim " + std::to_string(head_dim) + (causal ? " causal" : "") +
           " dropout " + std::to_string(dropout);
  }
};

/// out, lse, dqkv of attention on one backend.
std::vector<std::vector<float>> attend(const Sizes& sizes, const Backend& backend, int threads) {
  Graph graph;
  Builder b(graph);
  const Value qkv = b.input("qkv", {DType::f32, {sizes.batch, sizes.time, sizes.width()}});
  const Value dout = b.input("dout", {DType::f32, {sizes.batch, sizes.time, sizes.heads * sizes.head_dim}});
  const auto here = std::source_location::current();
  const auto forward = b.append(Op::attention, sizes.attributes(), std::vector<Value>{qkv}, here);
  const auto backward =
      b.append(Op::attention_grad, sizes.attributes(), std::vector<Value>{qkv, forward[0], forward[1], dout}, here);
  ThreadPool pool(threads);
  Interpreter interpreter(graph, backend, pool);
  std::mt19937 random(5);
  std::uniform_real_distribution<float> real(static_cast<float>(sizes.low), static_cast<float>(sizes.high));
  for (const Value value : {qkv, dout}) {
    const Tensor tensor = interpreter.value(value.ref());
    for (int64_t i = 0; i < tensor.elements(); ++i) tensor.as<float>()[i] = real(random);
  }
  interpreter.run({21, 4});
  std::vector<std::vector<float>> results;
  for (const Value value : {forward[0], forward[1], backward[0]}) {
    const Tensor tensor = interpreter.value(value.ref());
    results.emplace_back(tensor.as<float>(), tensor.as<float>() + tensor.elements());
  }
  return results;
}

void expect_close(const std::vector<float>& actual, const std::vector<float>& expected, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size());
  double scale = 1e-6;
  for (const float value : expected) scale = std::max(scale, std::abs(static_cast<double>(value)));
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance * scale) << what << " element " << i;
  }
}

void expect_agreement(const Sizes& sizes) {
  const auto expected = attend(sizes, ref_backend(), 1);
  for_each_instruction_set([&](const char* instructions) {
    const auto actual = attend(sizes, cpu_backend(), 1), again = attend(sizes, cpu_backend(), 2);
    const char* names[] = {"out", "lse", "dqkv"};
    for (size_t o = 0; o < 3; ++o) {
      const std::string what = sizes.text() + " on " + instructions + ": " + names[o];
      expect_close(actual[o], expected[o], 5e-6, what);
      EXPECT_EQ(std::memcmp(actual[o].data(), again[o].data(), actual[o].size() * sizeof(float)), 0)
          << what << " depends on the number of threads";
    }
  });
}

TEST(CpuAttention, AgreesAtEveryBlockBorder) {
  for (const bool causal : {true, false}) {
    for (const int64_t time : {1, 2, 5, 6, 7, 12, 13, 47, 48, 49, 96, 100})
      expect_agreement({2, time, 2, 2, 16, causal});
    for (const int64_t time : {287, 288, 289, 300, 577}) expect_agreement({1, time, 1, 1, 8, causal});
  }
}

TEST(CpuAttention, AgreesForAnyHeadSize) {
  for (const int64_t head_dim : {1, 3, 7, 8, 31, 32, 33, 48, 64, 80, 128, 200}) {
    expect_agreement({1, 53, 2, 1, head_dim, true});
    expect_agreement({1, 29, 1, 1, head_dim, false});
  }
}

TEST(CpuAttention, SharesKeysAmongQueryHeads) {
  expect_agreement({2, 61, 6, 2, 16, true});
  expect_agreement({3, 61, 4, 1, 12, false});
}

TEST(CpuAttention, DropsTheSameProbabilitiesAsTheReference) {
  for (const int64_t time : {9, 50, 301}) {
    expect_agreement({1, time, 2, 1, 8, true, 0.3});
    expect_agreement({2, time, 2, 2, 8, false, 0.1});
  }
}

TEST(CpuAttention, BearsLargeScores) {
  const Sizes sizes = {1, 310, 1, 1, 16, true, 0, -40, 40};
  const auto expected = attend(sizes, ref_backend(), 1);
  const auto actual = attend(sizes, cpu_backend(), 2);
  expect_close(actual[0], expected[0], 2e-4, "out");
  expect_close(actual[1], expected[1], 2e-6, "lse");
}

/// Runs of new rows against caches: the outputs of each run, one after the other, and the caches at the end.
struct Decoded {
  std::vector<float> out;
  std::vector<float> keys;
};

Decoded decode(const std::vector<int64_t>& runs, int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t capacity,
               const Backend& backend, int threads) {
  constexpr int64_t kBatch = 2;
  const int64_t width = (heads + 2 * kv_heads) * head_dim, kv_width = kv_heads * head_dim;
  std::mt19937 random(8);
  std::uniform_real_distribution<float> real(-1, 1);
  std::vector<float> keys(static_cast<size_t>(kBatch * capacity * kv_width), 0.5f), values = keys;
  Decoded decoded;
  int64_t start = 0;
  for (const int64_t time : runs) {
    Graph graph;
    Builder b(graph);
    const Value qkv = b.input("qkv", {DType::f32, {kBatch, time, width}});
    const Type cache{DType::f32, {kBatch, capacity, kv_width}};
    const Value old_keys = b.input("keys", cache), old_values = b.input("values", cache);
    const Value position = b.input("start", {DType::i32, {1}});
    const CachedAttention result =
        cached_attention(qkv, old_keys, old_values, position, {.heads = heads, .kv_heads = kv_heads});
    ThreadPool pool(threads);
    Interpreter interpreter(graph, backend, pool);
    const Tensor rows = interpreter.value(qkv.ref());
    for (int64_t i = 0; i < rows.elements(); ++i) rows.as<float>()[i] = real(random);
    std::ranges::copy(keys, interpreter.value(old_keys.ref()).as<float>());
    std::ranges::copy(values, interpreter.value(old_values.ref()).as<float>());
    *interpreter.value(position.ref()).as<int32_t>() = static_cast<int32_t>(start);
    interpreter.run({});
    const auto floats = [&](Value value) {
      const Tensor tensor = interpreter.value(value.ref());
      return std::vector<float>(tensor.as<float>(), tensor.as<float>() + tensor.elements());
    };
    const std::vector<float> out = floats(result.out);
    decoded.out.insert(decoded.out.end(), out.begin(), out.end());
    keys = floats(result.keys);
    values = floats(result.values);
    start += time;
  }
  decoded.keys = keys;
  return decoded;
}

TEST(CpuCachedAttention, AgreesForAnyRunsOfRows) {
  const std::vector<std::vector<int64_t>> all_runs = {{1, 1, 1}, {3, 1, 2}, {60, 1, 7, 1}, {520, 3, 4}};
  for (const auto& runs : all_runs) {
    for (const int64_t head_dim : {5, 16}) {
      const Decoded expected = decode(runs, 4, 2, head_dim, 1030, ref_backend(), 1);
      for_each_instruction_set([&](const char* instructions) {
        const Decoded actual = decode(runs, 4, 2, head_dim, 1030, cpu_backend(), 1);
        expect_close(actual.out, expected.out, 3e-6, instructions);
        EXPECT_EQ(actual.keys, expected.keys);
        EXPECT_EQ(decode(runs, 4, 2, head_dim, 1030, cpu_backend(), 2).out, actual.out);
      });
    }
  }
}

TEST(CpuCachedAttention, RefusesRowsBehindTheCache) {
  EXPECT_THAT(
      [] {
        decode({5, 4}, 1, 1, 8, 8, cpu_backend(), 1);
      },
      testing::ThrowsMessage<Error>(
          testing::AllOf(testing::HasSubstr("4 rows from position 5"), testing::HasSubstr("8 positions"))));
}

}  // namespace
}  // namespace sesame
