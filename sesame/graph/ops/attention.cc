#include <fmt/format.h>

#include <cmath>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

/// The sizes of packed rows qkv [batch, time, (heads + 2 kv_heads) head_dim].
struct Packed {
  int64_t batch, time, heads, kv_heads, head_dim;
  [[nodiscard]] int64_t query_width() const { return heads * head_dim; }
  [[nodiscard]] int64_t kv_width() const { return kv_heads * head_dim; }
  [[nodiscard]] int64_t group() const { return heads / kv_heads; }
};

Packed sizes_of(const AttentionAttributes& a, const Shape& qkv) {
  return {qkv[0], qkv[1], a.heads, a.kv_heads, qkv[2] / (a.heads + 2 * a.kv_heads)};
}

Packed checked_sizes(const InferContext& context) {
  const auto& a = context.attributes_as<AttentionAttributes>();
  const Shape& qkv = context.inputs[0].shape;
  if (qkv.rank() != 3) context.error("qkv must be [batch, time, width], not " + qkv.to_string());
  if (a.heads < 1 || a.kv_heads < 1 || a.heads % a.kv_heads != 0) {
    context.error(fmt::format("{} heads must be a multiple of {} key/value heads", a.heads, a.kv_heads));
  }
  if (qkv[2] % (a.heads + 2 * a.kv_heads) != 0) {
    context.error(fmt::format("the width of qkv {} must be a multiple of {} + 2 x {} heads", qkv.to_string(), a.heads,
                              a.kv_heads));
  }
  if (!(a.dropout >= 0 && a.dropout < 1)) context.error(fmt::format("dropout {} is outside [0, 1)", a.dropout));
  return sizes_of(a, qkv);
}

void expect_shape(const InferContext& context, size_t input, const Shape& shape, const char* what) {
  if (context.inputs[input].shape != shape) {
    context.error(fmt::format("{} {} must be {}", what, context.inputs[input].shape.to_string(), shape.to_string()));
  }
}

/// [batch, time, count * head_dim] columns of packed rows -> [batch, count, time, head_dim].
Value heads_of(Value rows, int64_t first_column, int64_t count, int64_t head_dim) {
  const Shape& shape = rows.shape();
  const Value part = slice(rows, 2, first_column, count * head_dim);
  return permute(reshape(part, {shape[0], shape[1], count, head_dim}), {0, 2, 1, 3});
}

/// [batch, count, time, head_dim] -> [batch, time, count * head_dim].
Value rows_of(Value heads) {
  const Shape& s = heads.shape();
  return reshape(permute(heads, {0, 2, 1, 3}), {s[0], s[2], s[1] * s[3]});
}

/// Repeats each key/value head for the query heads of its group.
Value repeat_heads(Value kv, int64_t group) {
  const Shape& s = kv.shape();
  if (group == 1) return kv;
  return reshape(broadcast_to(reshape(kv, {s[0], s[1], 1, s[2], s[3]}), {s[0], s[1], group, s[2], s[3]}),
                 {s[0], s[1] * group, s[2], s[3]});
}

Value sum_groups(Value heads, int64_t group) {
  const Shape& s = heads.shape();
  if (group == 1) return heads;
  return reshape(reduce_sum(reshape(heads, {s[0], s[1] / group, group, s[2], s[3]}), {2}),
                 {s[0], s[1] / group, s[2], s[3]});
}

struct Heads {
  Value queries, keys, values;  // [batch, heads, time, head_dim]
};

Heads split_heads(Value qkv, const Packed& p) {
  const Value keys = heads_of(qkv, p.query_width(), p.kv_heads, p.head_dim);
  const Value values = heads_of(qkv, p.query_width() + p.kv_width(), p.kv_heads, p.head_dim);
  return {heads_of(qkv, 0, p.heads, p.head_dim), repeat_heads(keys, p.group()), repeat_heads(values, p.group())};
}

/// Scaled scores with -1e30 where key position > first_query + query position.
Value masked_scores(Value queries, Value keys, double scale_by, bool causal, Value first_query) {
  Builder& b = queries.builder();
  const Value scores = scale(matmul(queries, keys, {.transpose_b = true}), scale_by);
  if (!causal) return scores;
  const int64_t rows = queries.shape()[2];
  const int64_t columns = keys.shape()[2];
  const Value row = permute(iota(b, {1, rows}), {1, 0}) + first_query;
  const Value hidden = less(row, iota(b, {1, columns}));  // [rows, columns]
  return select(hidden, b.constant(-1e30, {scores.dtype(), Shape{}}), scores);
}

Value drop_probabilities(Value probabilities, const AttentionAttributes& a, Where where) {
  if (a.dropout == 0) return probabilities;
  return probabilities.builder().append_one(Op::dropout, DropoutAttributes{a.dropout, a.key}, {probabilities}, where);
}

Value zero_start(Builder& b) { return b.constant(0, {DType::i32, {1}}); }

std::vector<Value> decompose_attention(Builder& b, const Node& node, std::span<const Value> in) {
  const auto& a = node.attributes_as<AttentionAttributes>();
  const Packed p = sizes_of(a, in[0].shape());
  const Heads h = split_heads(in[0], p);
  const Value scores = masked_scores(h.queries, h.keys, a.scale, a.causal, zero_start(b));
  const Value max = reduce_max(scores, {-1});
  const Value e = exp(scores - max);
  const Value sum = reduce_sum(e, {-1});
  const Value probabilities = drop_probabilities(e / sum, a, node.where);
  return {rows_of(matmul(probabilities, h.values)), reshape(max + log(sum), {p.batch, p.heads, p.time})};
}

std::vector<Value> decompose_attention_grad(Builder& b, const Node& node, std::span<const Value> in) {
  const auto& a = node.attributes_as<AttentionAttributes>();
  const Packed p = sizes_of(a, in[0].shape());
  const Heads h = split_heads(in[0], p);
  const Value lse = reshape(in[2], {p.batch, p.heads, p.time, 1});
  const Value probabilities = exp(masked_scores(h.queries, h.keys, a.scale, a.causal, zero_start(b)) - lse);
  const Value dout = heads_of(in[3], 0, p.heads, p.head_dim);
  const Value out = heads_of(in[1], 0, p.heads, p.head_dim);
  const Value dv = matmul(drop_probabilities(probabilities, a, node.where), dout, {.transpose_a = true});
  const Value dp = drop_probabilities(matmul(dout, h.values, {.transpose_b = true}), a, node.where);
  const Value ds = scale(probabilities * (dp - reduce_sum(dout * out, {-1})), a.scale);
  const Value dq = matmul(ds, h.keys);
  const Value dk = matmul(ds, h.queries, {.transpose_a = true});
  const int64_t width = in[0].shape()[2];
  const Value packed_dq = pad(rows_of(dq), 2, 0, width);
  const Value packed_dk = pad(rows_of(sum_groups(dk, p.group())), 2, p.query_width(), width);
  const Value packed_dv = pad(rows_of(sum_groups(dv, p.group())), 2, p.query_width() + p.kv_width(), width);
  return {packed_dq + packed_dk + packed_dv};
}

/// cache [batch, capacity, width] with the rows fresh [batch, time, width] written at start.
Value write_rows(Builder& b, Value cache, Value fresh, Value start) {
  const Shape& s = fresh.shape();
  const int64_t capacity = cache.shape()[1];
  const Value positions = reshape(iota(b, {1, s[1]}) + start, {s[1]});
  const Value where_to = one_hot(positions, capacity, cache.dtype());  // [time, capacity]
  const Value batched = broadcast_to(reshape(where_to, {1, s[1], capacity}), {s[0], s[1], capacity});
  const Value kept = offset(neg(reshape(reduce_sum(where_to, {0}), {capacity, 1})), 1);  // 1 where nothing is written
  return cache * kept + matmul(batched, fresh, {.transpose_a = true});
}

std::vector<Value> decompose_cached_attention(Builder& b, const Node& node, std::span<const Value> in) {
  const auto& a = node.attributes_as<AttentionAttributes>();
  const Packed p = sizes_of(a, in[0].shape());
  const Value keys = write_rows(b, in[1], slice(in[0], 2, p.query_width(), p.kv_width()), in[3]);
  const Value values = write_rows(b, in[2], slice(in[0], 2, p.query_width() + p.kv_width(), p.kv_width()), in[3]);
  const Value queries = heads_of(in[0], 0, p.heads, p.head_dim);
  const Value all_keys = repeat_heads(heads_of(keys, 0, p.kv_heads, p.head_dim), p.group());
  const Value all_values = repeat_heads(heads_of(values, 0, p.kv_heads, p.head_dim), p.group());
  const Value scores = masked_scores(queries, all_keys, a.scale, true, in[3]);
  return {rows_of(matmul(softmax(scores), all_values)), keys, values};
}

Cost cost_of_attention(const Node& node, std::span<const Type> inputs, double products) {
  const auto& a = node.attributes_as<AttentionAttributes>();
  const Packed p = sizes_of(a, inputs[0].shape);
  const auto pairs = static_cast<double>(p.batch * p.heads * p.time) * static_cast<double>(p.time);
  Cost cost{.flops = products * 2 * pairs * static_cast<double>(p.head_dim) * (a.causal ? 0.5 : 1.0), .bytes = 0};
  for (const Type& type : inputs) cost.bytes += static_cast<double>(type.bytes());
  for (const Type& type : node.outputs) cost.bytes += static_cast<double>(type.bytes());
  return cost;
}

AttentionAttributes attributes_of(Value qkv, const AttentionOptions& o) {
  AttentionAttributes a{o.heads, o.kv_heads, o.causal, o.scale, o.dropout, 0};
  const int64_t all_heads = o.heads + 2 * o.kv_heads;
  if (a.scale == 0 && all_heads > 0 && qkv.shape().rank() == 3) {
    const int64_t head_dim = qkv.shape()[2] / all_heads;
    a.scale = 1 / std::sqrt(static_cast<double>(head_dim));
  }
  if (o.dropout > 0) a.key = qkv.builder().next_random_key();
  return a;
}

}  // namespace

const OpDef op_defs::attention_def = {
    .name = "attention",
    .doc = "Multi-head self-attention over packed rows [queries | keys | values]; also gives each row's log-sum-exp.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      context.expect_floating(context.inputs);
      const Packed p = checked_sizes(context);
      const DType dtype = context.inputs[0].dtype;
      return {{dtype, {p.batch, p.time, p.query_width()}}, {dtype, {p.batch, p.heads, p.time}}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return {c.builder.append_one(Op::attention_grad, c.node.attributes,
                                   {c.inputs[0], c.outputs[0], c.outputs[1], c.grads[0]}, c.node.where)};
    },
    .cost = [](const Node& node, std::span<const Type> inputs) { return cost_of_attention(node, inputs, 2); },
    .cost_class = CostClass::heavy,
    .decompose = decompose_attention};

const OpDef op_defs::attention_grad_def = {
    .name = "attention_grad",
    .doc = "From qkv, out, lse, dout: dqkv of attention; the probabilities are computed again.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(4);
      context.expect_floating(context.inputs);
      const Packed p = checked_sizes(context);
      expect_shape(context, 1, {p.batch, p.time, p.query_width()}, "out");
      expect_shape(context, 2, {p.batch, p.heads, p.time}, "lse");
      expect_shape(context, 3, {p.batch, p.time, p.query_width()}, "dout");
      return {context.inputs[0]};
    },
    .cost = [](const Node& node, std::span<const Type> inputs) { return cost_of_attention(node, inputs, 5); },
    .cost_class = CostClass::heavy,
    .decompose = decompose_attention_grad};

const OpDef op_defs::cached_attention_def = {
    .name = "cached_attention",
    .doc = "Causal attention of new rows over key/value caches, into which their keys and values are written first.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(4);
      context.expect_floating(context.inputs.first(3));
      const Packed p = checked_sizes(context);
      const Shape& cache = context.inputs[1].shape;
      if (cache.rank() != 3 || cache[0] != p.batch || cache[2] != p.kv_width() || cache[1] < p.time) {
        context.error(fmt::format("the cache {} must be [{}, capacity >= {}, {}]", cache.to_string(), p.batch, p.time,
                                  p.kv_width()));
      }
      expect_shape(context, 2, cache, "the cache of values");
      if (context.inputs[3] != Type{DType::i32, {1}}) {
        context.error("start must be int32 [1], not " + context.inputs[3].to_string());
      }
      return {{context.inputs[0].dtype, {p.batch, p.time, p.query_width()}}, context.inputs[1], context.inputs[2]};
    },
    .cost_class = CostClass::never_twice,
    .decompose = decompose_cached_attention,
    .in_place = {0, 0b10, 0b100}};

Value attention(Value qkv, AttentionOptions options, Where where) {
  return qkv.builder().append_one(Op::attention, attributes_of(qkv, options), {qkv}, where);
}

CachedAttention cached_attention(Value qkv, Value keys, Value values, Value start, AttentionOptions options,
                                 Where where) {
  options.dropout = 0;
  options.causal = true;
  const std::vector<Value> inputs = {qkv, keys, values, start};
  const auto outputs = qkv.builder().append(Op::cached_attention, attributes_of(qkv, options), inputs, where);
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace sesame
