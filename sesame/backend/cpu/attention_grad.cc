#include <algorithm>

#include "sesame/backend/cpu/attention_scratch.h"
#include "sesame/backend/cpu/kernels.h"
#include "sesame/base/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/attention_grad.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/attention_forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

/// The gradient of one query head; what flows to keys and values is added up in the scratch.
struct QueryHeadGrad {
  QueryHead head;          // without results
  const float* out;        // [time, head_dim], rows head.out_stride apart: what the forward pass gave
  const float* log_sums;   // [time]
  const float* out_grads;  // [time, head_dim], rows head.out_stride apart
  float* query_grads;      // [time, head_dim], rows head.query_stride apart
};

/// One block of query rows with what is known of it before its keys are visited.
struct RowBlock {
  int64_t first;
  int64_t rows;
  int64_t groups;
};

/// deltas[r] = out[r] . dout[r], which is the sum over keys of probability times its gradient (Dao et al. 2022, eq. 4).
void compute_deltas(const QueryHeadGrad& grad, const RowBlock& block, float* HWY_RESTRICT deltas) {
  const FloatTag d;
  for (int64_t r = 0; r < block.rows; ++r) {
    const float* out = grad.out + (block.first + r) * grad.head.out_stride;
    const float* dout = grad.out_grads + (block.first + r) * grad.head.out_stride;
    FloatVec sum = hn::Zero(d);
    int64_t i = 0;
    for (; i + kLanes <= grad.head.head_dim; i += kLanes) {
      sum = hn::MulAdd(hn::LoadU(d, out + i), hn::LoadU(d, dout + i), sum);
    }
    if (i < grad.head.head_dim) {
      const int64_t left = grad.head.head_dim - i;
      sum = hn::MulAdd(load_first(out + i, left), load_first(dout + i, left), sum);
    }
    deltas[r] = sum_of(sum);
  }
}

/// Turns scores into probabilities p and dp = dout . v into score gradients p (dp - delta), for one row and n keys;
/// zeros up to padded. With dropout, p is left multiplied by its factors, as the values saw it.
HWY_INLINE void grad_row(float* HWY_RESTRICT scores, float* HWY_RESTRICT score_grads, int64_t n, int64_t padded,
                         float log_sum, float delta, const float* factors) {
  const FloatTag d;
  const FloatVec shift = hn::Set(d, log_sum), centre = hn::Set(d, delta);
  for (int64_t j = 0; j < n; j += kLanes) {
    FloatVec p = Exp(d, hn::Sub(hn::LoadU(d, scores + j), shift));
    if (j + kLanes > n) p = first_or(p, n - j, hn::Zero(d));
    FloatVec dp = hn::LoadU(d, score_grads + j);
    FloatVec used = p;
    if (factors != nullptr) {
      const FloatVec factor = hn::LoadU(d, factors + j);
      dp = hn::Mul(dp, factor);
      used = hn::Mul(p, factor);
    }
    FloatVec ds = hn::Mul(p, hn::Sub(dp, centre));
    if (j + kLanes > n) {
      ds = first_or(ds, n - j, hn::Zero(d));
      used = first_or(used, n - j, hn::Zero(d));
    }
    hn::StoreU(used, d, scores + j);
    hn::StoreU(ds, d, score_grads + j);
  }
  for (int64_t j = round_up(n, kLanes); j < padded; j += kLanes) {
    hn::StoreU(hn::Zero(d), d, scores + j);
    hn::StoreU(hn::Zero(d), d, score_grads + j);
  }
}

/// grads[key] += sum over the block's rows of weights[row][key] * rows[row], for all keys of the key block: the part of
/// a key's rows before the first that sees it is skipped.
void add_to_keys(const QueryHead& head, const RowBlock& block, int64_t key, int64_t keys, const float* weights,
                 const float* row_panels, float* grads, int64_t padded_dim) {
  const int64_t depth = block.groups * kTileRows;
  for (int64_t column = 0; column < head.head_dim; column += kTileCols) {
    const float* rows = row_panels + column * kQueryBlock;
    for (int64_t j = 0; j < keys; j += kTileRows) {
      const int64_t before = head.causal ? std::clamp<int64_t>(key + j - head.position - block.first, 0, depth) : 0;
      tile_product<1, kScoreStride, true>(depth - before, weights + before * kScoreStride + j,
                                          rows + before * kTileCols, grads + (key + j) * padded_dim + column,
                                          padded_dim);
    }
  }
}

/// What row r of the block will write, and what row r of the next block will read.
HWY_INLINE void fetch_next_row(const QueryHeadGrad& grad, const RowBlock& block, int64_t r) {
  const int64_t head_dim = grad.head.head_dim, next = block.first + block.rows + r;
  fetch_row(grad.query_grads + (block.first + r) * grad.head.query_stride, head_dim);
  fetch_row(grad.head.queries + next * grad.head.query_stride, head_dim);
  fetch_row(grad.out + next * grad.head.out_stride, head_dim);
  fetch_row(grad.out_grads + next * grad.head.out_stride, head_dim);
}

void attend_block_grad(const QueryHeadGrad& grad, const RowBlock& block, const AttentionGradScratch& scratch) {
  const FloatTag d;
  const QueryHead& head = grad.head;
  const int64_t head_dim = head.head_dim, padded_dim = padded_to(head_dim, kColumnPadding);
  const int64_t padded_keys = padded_to(head.key_count, kTilePadding);
  const float* queries = head.queries + block.first * head.query_stride;
  const float* out_grads = grad.out_grads + block.first * head.out_stride;
  pack_panels(queries, head.query_stride, block.rows, kQueryBlock, head_dim, head.scale, scratch.query_rows);
  pack_panels(out_grads, head.out_stride, block.rows, kQueryBlock, head_dim, 1.0f, scratch.output_grad_rows);
  compute_deltas(grad, block, scratch.deltas);

  int64_t group_keys[kQueryBlock / kTileRows];
  for (int64_t key = 0; key < head.key_count; key += kKeyBlock) {
    const int64_t keys = visible_keys(head, block.first + block.rows - 1, key);
    if (keys == 0) break;
    for (int64_t g = 0; g < block.groups; ++g) {
      group_keys[g] = visible_keys(head, block.first + HWY_MIN((g + 1) * kTileRows, block.rows) - 1, key);
    }
    score_tile(scratch.query_rows, scratch.keys + key * head_dim, head_dim, block.groups, group_keys, scratch.scores);
    score_tile(scratch.output_grad_rows, scratch.values + key * head_dim, head_dim, block.groups, group_keys,
               scratch.score_grads);

    for (int64_t r = 0; r < block.groups * kTileRows; ++r) {
      if (key == 0 && r < block.rows) fetch_next_row(grad, block, r);
      // Up to the last register group of keys that any row sees, because the products by keys read whole groups.
      const int64_t padded = HWY_MIN(round_up(round_up(keys, kTileRows), kLanes), kScoreStride);
      const int64_t n = r < block.rows ? visible_keys(head, block.first + r, key) : 0;
      const float* factors = nullptr;
      if (head.dropout != nullptr && n > 0) {
        const uint64_t row = static_cast<uint64_t>((block.first + r) * head.key_count + key);
        dropout_factors(*head.dropout, head.first_element + row, n, scratch.factors);
        factors = scratch.factors;
      }
      const float log_sum = r < block.rows ? grad.log_sums[block.first + r] : 0;
      grad_row(scratch.scores + r * kScoreStride, scratch.score_grads + r * kScoreStride, n, padded, log_sum,
               r < block.rows ? scratch.deltas[r] : 0, factors);
    }

    add_to_keys(head, block, key, keys, scratch.scores, scratch.output_grad_rows, scratch.value_grads, padded_dim);
    add_to_keys(head, block, key, keys, scratch.score_grads, scratch.query_rows, scratch.key_grads, padded_dim);
    for (int64_t column = 0; column < head_dim; column += kTileCols) {
      const float* key_rows = scratch.key_rows + column * padded_keys + key * kTileCols;
      for (int64_t g = 0; g < block.groups; ++g) {
        const float* weights = scratch.score_grads + g * kTileRows * kScoreStride;
        float* sums = scratch.query_grads + g * kTileRows * padded_dim + column;
        if (key == 0) {
          tile_product<kScoreStride, 1, false>(group_keys[g], weights, key_rows, sums, padded_dim);
        } else {
          tile_product<kScoreStride, 1, true>(group_keys[g], weights, key_rows, sums, padded_dim);
        }
      }
    }
  }
  const FloatVec scale = hn::Set(d, head.scale);
  for (int64_t r = 0; r < block.rows; ++r) {
    map(
        head_dim, grad.query_grads + (block.first + r) * head.query_stride,
        [scale](FloatVec x) HWY_ATTR { return hn::Mul(x, scale); }, scratch.query_grads + r * padded_dim);
  }
}

/// Copies the first head_dim columns of padded rows to rows `stride` apart.
void store_rows(const float* from, int64_t padded_dim, int64_t count, int64_t head_dim, float* to, int64_t stride) {
  constexpr int64_t kFetchAhead = 16;
  for (int64_t t = 0; t < count; ++t) {
    fetch_row(to + (t + kFetchAhead) * stride, head_dim);
    map(
        head_dim, to + t * stride, [](FloatVec x) HWY_ATTR { return x; }, from + t * padded_dim);
  }
}

void attention_grad(const KernelCall& call) {
  const auto& attributes = call.attributes_as<AttentionAttributes>();
  const float* qkv = call.in<float>(0);        // [batch, time, width]
  const float* out = call.in<float>(1);        // [batch, time, heads * head_dim]
  const float* log_sums = call.in<float>(2);   // [batch, heads, time]
  const float* out_grads = call.in<float>(3);  // [batch, time, heads * head_dim]
  float* qkv_grads = call.out<float>(0);       // [batch, time, width]
  const int64_t batch = call.in_shape(0)[0], time = call.in_shape(0)[1], width = call.in_shape(0)[2];
  const int64_t heads = attributes.heads, kv_heads = attributes.kv_heads, group = heads / kv_heads;
  const int64_t head_dim = width / (heads + 2 * kv_heads), padded_dim = padded_to(head_dim, kColumnPadding);
  const DropoutRule rule(call.step->seed, attributes.key, call.step->step, attributes.dropout);
  const size_t scratch_bytes = AttentionGradScratch::bytes(time, head_dim);

  call.threads->run(batch * kv_heads, [&](int64_t unit, int thread) HWY_ATTR {
    const int64_t kv_head = unit % kv_heads, b = unit / kv_heads;
    ScratchCursor cursor(call.workspace + static_cast<size_t>(thread) * scratch_bytes);
    const AttentionGradScratch scratch(cursor, time, head_dim);
    const float* rows = qkv + b * time * width;
    float* row_grads = qkv_grads + b * time * width;
    const int64_t key_column = (heads + kv_head) * head_dim, value_column = key_column + kv_heads * head_dim;
    const int64_t padded_keys = padded_to(time, kTilePadding);
    pack_transposed(rows + key_column, width, time, head_dim, scratch.keys);
    pack_transposed(rows + value_column, width, time, head_dim, scratch.values);
    pack_panels(rows + key_column, width, time, padded_keys, head_dim, 1.0f, scratch.key_rows);
    std::fill_n(scratch.key_grads, padded_keys * padded_dim, 0.0f);
    std::fill_n(scratch.value_grads, padded_keys * padded_dim, 0.0f);

    for (int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      const int64_t out_offset = b * time * heads * head_dim + h * head_dim;
      QueryHeadGrad grad;
      grad.head = {.queries = rows + h * head_dim,
                   .query_stride = width,
                   .out = nullptr,
                   .out_stride = heads * head_dim,
                   .log_sums = nullptr,
                   .head_dim = head_dim,
                   .key_count = time,
                   .position = 0,
                   .causal = attributes.causal,
                   .scale = static_cast<float>(attributes.scale),
                   .dropout = attributes.dropout > 0 ? &rule : nullptr,
                   .first_element = static_cast<uint64_t>((b * heads + h) * time) * static_cast<uint64_t>(time)};
      grad.out = out + out_offset;
      grad.log_sums = log_sums + (b * heads + h) * time;
      grad.out_grads = out_grads + out_offset;
      grad.query_grads = row_grads + h * head_dim;
      for (int64_t first = 0; first < time; first += kQueryBlock) {
        const int64_t count = std::min(kQueryBlock, time - first);
        attend_block_grad(grad, {first, count, round_up(count, kTileRows) / kTileRows}, scratch);
      }
    }
    store_rows(scratch.key_grads, padded_dim, time, head_dim, row_grads + key_column, width);
    store_rows(scratch.value_grads, padded_dim, time, head_dim, row_grads + value_column, width);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(attention_grad);

size_t attention_grad_workspace(const Node& node, std::span<const Type> inputs, int threads) {
  const auto& attributes = node.attributes_as<AttentionAttributes>();
  const int64_t head_dim = inputs[0].shape[2] / (attributes.heads + 2 * attributes.kv_heads);
  return AttentionGradScratch::bytes(inputs[0].shape[1], head_dim) * static_cast<size_t>(threads);
}

}  // namespace

const Kernel cpu_attention_grad = {[](const KernelCall& call) {
                                     HWY_DYNAMIC_DISPATCH(attention_grad)
                                     (call);
                                   },
                                   attention_grad_workspace};

}  // namespace sesame
#endif  // HWY_ONCE
