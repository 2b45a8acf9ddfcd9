#include <cmath>

#include "sesame/backend/op_cases.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

/// A GPT of 384 channels over 16 x 256 tokens, the size that a processor trains well.
constexpr int64_t kBatch = 16;
constexpr int64_t kTime = 256;
constexpr int64_t kRows = kBatch * kTime;
constexpr int64_t kWidth = 384;
constexpr int64_t kHeads = 6;
constexpr int64_t kParameters = 10'000'000;

using Build = std::function<std::vector<Value>(CaseBuilder&)>;

void add(std::vector<OpCase>& cases, Op op, std::string label, Build build) {
  cases.push_back({.op = op, .label = std::move(label), .build = std::move(build), .differentiable = false});
}

void add_matmuls(std::vector<OpCase>& cases) {
  add(cases, Op::matmul, "rows by weights", [](CaseBuilder& c) {
    return std::vector{matmul(c.real({kRows, kWidth}), c.real({kWidth, 4 * kWidth}))};
  });
  add(cases, Op::matmul, "rows by transposed weights", [](CaseBuilder& c) {
    return std::vector{matmul(c.real({kRows, 4 * kWidth}), c.real({kWidth, 4 * kWidth}), {.transpose_b = true})};
  });
  add(cases, Op::matmul, "gradient of weights", [](CaseBuilder& c) {
    return std::vector{matmul(c.real({kRows, kWidth}), c.real({kRows, 4 * kWidth}), {.transpose_a = true})};
  });
}

void add_memory_bound(std::vector<OpCase>& cases) {
  const Shape rows{kRows, kWidth};
  const Shape wide{kRows, 4 * kWidth};
  const Shape channels{kWidth};
  add(cases, Op::add, "residual", [=](CaseBuilder& c) { return std::vector{add(c.real(rows), c.real(rows))}; });
  add(cases, Op::dropout, "rate 0.1", [=](CaseBuilder& c) { return std::vector{dropout(c.real(rows), 0.1)}; });
  add(cases, Op::reduce_sum, "over rows", [=](CaseBuilder& c) { return std::vector{reduce_sum(c.real(rows), {0})}; });
  add(cases, Op::permute, "heads first", [](CaseBuilder& c) {
    return std::vector{permute(c.real({kBatch, kTime, kHeads, kWidth / kHeads}), {0, 2, 1, 3})};
  });
  add(cases, Op::layer_norm, "rows",
      [=](CaseBuilder& c) { return std::vector{layer_norm(c.real(rows), c.real(channels), c.real(channels), 1e-5)}; });
  add(cases, Op::layer_norm_grad, "rows", [=](CaseBuilder& c) {
    const std::vector in = {c.real(rows), c.real(channels), c.real({kRows}), c.real({kRows}), c.real(rows)};
    return c.builder().append(Op::layer_norm_grad, NormAttributes{}, in, Where::current());
  });
  add(cases, Op::rms_norm, "rows",
      [=](CaseBuilder& c) { return std::vector{rms_norm(c.real(rows), c.real(channels), 1e-5)}; });
  add(cases, Op::rms_norm_grad, "rows", [=](CaseBuilder& c) {
    const std::vector in = {c.real(rows), c.real(channels), c.real({kRows}), c.real(rows)};
    return c.builder().append(Op::rms_norm_grad, NormAttributes{}, in, Where::current());
  });
  add(cases, Op::bias_gelu, "rows",
      [=](CaseBuilder& c) { return std::vector{bias_gelu(c.real(wide), c.real({4 * kWidth}))}; });
  add(cases, Op::bias_gelu_grad, "rows", [=](CaseBuilder& c) {
    const std::vector in = {c.real(wide), c.real({4 * kWidth}), c.real(wide)};
    return c.builder().append(Op::bias_gelu_grad, NoAttributes{}, in, Where::current());
  });
  add(cases, Op::swiglu, "rows", [=](CaseBuilder& c) { return std::vector{swiglu(c.real(wide))}; });
  add(cases, Op::swiglu_grad, "rows", [=](CaseBuilder& c) {
    const std::vector in = {c.real(wide), c.real({kRows, 2 * kWidth})};
    return c.builder().append(Op::swiglu_grad, NoAttributes{}, in, Where::current());
  });
  add(cases, Op::rope, "queries and keys", [](CaseBuilder& c) {
    const Value x = c.real({kBatch, kTime, 3 * kWidth});
    return std::vector{rope(x, c.whole({1}, 0, 1), {.heads = 2 * kHeads, .head_dim = kWidth / kHeads})};
  });
}

void add_attention(std::vector<OpCase>& cases) {
  for (const bool causal : {true, false}) {
    const std::string label = causal ? "causal" : "all to all";
    const AttentionAttributes attributes{
        .heads = kHeads, .kv_heads = kHeads, .causal = causal, .scale = 1 / std::sqrt(double{kWidth} / kHeads)};
    add(cases, Op::attention, label, [=](CaseBuilder& c) {
      const std::vector in = {c.real({kBatch, kTime, 3 * kWidth})};
      return c.builder().append(Op::attention, attributes, in, Where::current());
    });
    add(cases, Op::attention_grad, label, [=](CaseBuilder& c) {
      const Shape rows{kBatch, kTime, kWidth};
      const std::vector in = {c.real({kBatch, kTime, 3 * kWidth}), c.real(rows), c.real({kBatch, kHeads, kTime}, 5, 6),
                              c.real(rows)};
      return c.builder().append(Op::attention_grad, attributes, in, Where::current());
    });
  }
  add(cases, Op::cached_attention, "one token after 1000", [](CaseBuilder& c) {
    const Shape cache{1, 1024, kWidth};
    const AttentionOptions options{.heads = kHeads, .kv_heads = kHeads};
    const Value start = c.whole({1}, 1000, 1001);
    const auto step = cached_attention(c.real({1, 1, 3 * kWidth}), c.real(cache), c.real(cache), start, options);
    return std::vector{step.out};
  });
}

void add_ends(std::vector<OpCase>& cases) {
  constexpr int64_t kClasses = 8192;
  constexpr int64_t kTokens = 512;
  add(cases, Op::embedding, "tokens", [](CaseBuilder& c) {
    return std::vector{embedding(c.real({kClasses, kWidth}), c.whole({kRows}, 0, kClasses))};
  });
  add(cases, Op::embedding_grad, "tokens", [](CaseBuilder& c) {
    return std::vector{embedding_grad(c.real({kRows, kWidth}), c.whole({kRows}, 0, kClasses), kClasses)};
  });
  add(cases, Op::linear_cross_entropy, "8192 classes", [](CaseBuilder& c) {
    const Value targets = c.whole({kTokens}, 0, kClasses);
    return std::vector{linear_cross_entropy(c.real({kTokens, kWidth}), c.real({kClasses, kWidth}), targets)};
  });
  add(cases, Op::linear_cross_entropy_step, "8192 classes", [](CaseBuilder& c) {
    const std::vector in = {c.real({kTokens, kWidth}), c.real({kClasses, kWidth}), c.whole({kTokens}, 0, kClasses)};
    return c.builder().append(Op::linear_cross_entropy_step, LinearCrossEntropyAttributes{}, in, Where::current());
  });
  add(cases, Op::sum_squares, "all gradients",
      [](CaseBuilder& c) { return std::vector{sum_squares(c.real({kParameters}))}; });
  add(cases, Op::adamw, "all parameters", [](CaseBuilder& c) {
    const Shape flat{kParameters};
    const AdamWStep step = adamw(c.real(flat), c.real(flat), c.real(flat), c.real(flat, 0.01, 1), c.real({3}, 0.1, 0.5),
                                 Value{}, AdamWAttributes{.decayed = kParameters});
    return std::vector{step.parameters, step.first_moment, step.second_moment};
  });
}

}  // namespace

std::span<const OpCase> large_op_cases() {
  static const std::vector<OpCase> cases = [] {
    std::vector<OpCase> all;
    add_matmuls(all);
    add_memory_bound(all);
    add_attention(all);
    add_ends(all);
    return all;
  }();
  return cases;
}

}  // namespace sesame
