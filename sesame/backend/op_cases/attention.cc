#include <fmt/format.h>

#include <cmath>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

struct Setting {
  int64_t batch;
  int64_t time;
  int64_t head_dim;
  AttentionAttributes attributes;

  [[nodiscard]] Shape qkv() const { return {batch, time, (attributes.heads + 2 * attributes.kv_heads) * head_dim}; }
  [[nodiscard]] AttentionAttributes scaled() const {
    AttentionAttributes a = attributes;
    a.scale = 1 / std::sqrt(static_cast<double>(head_dim));
    return a;
  }
  [[nodiscard]] std::string label() const {
    return fmt::format("batch {}, time {}, {} heads over {} of {}{}{}", batch, time, attributes.heads,
                       attributes.kv_heads, head_dim, attributes.causal ? ", causal" : "",
                       attributes.dropout > 0 ? ", dropout" : "");
  }
};

std::vector<Setting> settings() {
  return {
      {1, 1, 1, {.heads = 1, .kv_heads = 1, .causal = true}},
      {1, 1, 8, {.heads = 2, .kv_heads = 1, .causal = false}},
      {2, 7, 6, {.heads = 4, .kv_heads = 2, .causal = true}},
      {2, 9, 5, {.heads = 3, .kv_heads = 3, .causal = false}},
      {1, 33, 16, {.heads = 4, .kv_heads = 1, .causal = true}},
      {1, 70, 32, {.heads = 2, .kv_heads = 2, .causal = true}},
      {1, 131, 8, {.heads = 2, .kv_heads = 1, .causal = false}},
      {1, 257, 64, {.heads = 1, .kv_heads = 1, .causal = true}},
      {1, 300, 8, {.heads = 2, .kv_heads = 1, .causal = true}},
      {1, 301, 4, {.heads = 1, .kv_heads = 1, .causal = false, .dropout = 0.2, .key = 9}},
      {2, 11, 4, {.heads = 2, .kv_heads = 1, .causal = true, .dropout = 0.3, .key = 77}},
      {1, 66, 8, {.heads = 2, .kv_heads = 2, .causal = false, .dropout = 0.1, .key = 5}},
  };
}

}  // namespace

void attention(std::vector<OpCase>& cases) {
  for (const Setting& s : settings()) {
    cases.push_back({.op = Op::attention, .label = s.label(), .build = [=](CaseBuilder& c) {
                       return std::vector{c.builder().append_one(Op::attention, s.scaled(), {c.real(s.qkv(), -2, 2)},
                                                                 Where::current())};
                     }});
    cases.push_back({.op = Op::attention_grad,
                     .label = s.label(),
                     .build =
                         [=](CaseBuilder& c) {
                           const Value qkv = c.real(s.qkv(), -2, 2);
                           const auto forward =
                               c.builder().append(Op::attention, s.scaled(), std::vector{qkv}, Where::current());
                           const Value dout = c.real(forward[0].shape());
                           return std::vector{c.builder().append_one(
                               Op::attention_grad, s.scaled(), {qkv, forward[0], forward[1], dout}, Where::current())};
                         },
                     .differentiable = false,
                     .tolerance = 2e-5});
    if (s.attributes.dropout > 0 || !s.attributes.causal) continue;
    const int64_t spare = 5;
    cases.push_back({.op = Op::cached_attention,
                     .label = s.label(),
                     .build =
                         [=](CaseBuilder& c) {
                           const Shape cache{s.batch, s.time + spare, s.attributes.kv_heads * s.head_dim};
                           const Value qkv = c.real(s.qkv(), -2, 2);
                           const Value keys = c.real(cache, -2, 2);
                           const Value values = c.real(cache);
                           const Value start = c.whole({1}, 0, spare + 1);
                           return c.builder().append(Op::cached_attention, s.scaled(),
                                                     std::vector{qkv, keys, values, start}, Where::current());
                         },
                     .differentiable = false});
  }
}

}  // namespace sesame::op_cases_of
