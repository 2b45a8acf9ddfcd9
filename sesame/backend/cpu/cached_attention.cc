#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "sesame/backend/cpu/attention_scratch.h"
#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/cached_attention_sizes.h"
#include "sesame/backend/cpu/kernels.h"
#include "sesame/base/error.h"
#include "sesame/base/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/cached_attention.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/attention_forward-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE float dot(const float* a, const float* b, int64_t n) {
  const FloatTag d;
  FloatVec even = hn::Zero(d), odd = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    even = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), even);
    odd = hn::MulAdd(hn::LoadU(d, a + i + kLanes), hn::LoadU(d, b + i + kLanes), odd);
  }
  for (; i + kLanes <= n; i += kLanes) even = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), even);
  if (i < n) odd = hn::MulAdd(load_first(a + i, n - i), load_first(b + i, n - i), odd);
  return sum_of(hn::Add(even, odd));
}

/// sums[j] = sum over i < count of weights[i] * rows[i * stride + j], four rows at a time.
HWY_INLINE void weighted_rows(const float* weights, const float* rows, int64_t stride, int64_t count, int64_t n,
                              float* sums) {
  const FloatTag d;
  std::fill_n(sums, n, 0.0f);
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    const FloatVec w0 = hn::Set(d, weights[i]), w1 = hn::Set(d, weights[i + 1]);
    const FloatVec w2 = hn::Set(d, weights[i + 2]), w3 = hn::Set(d, weights[i + 3]);
    const float* row = rows + i * stride;
    map(
        n, sums,
        [=](FloatVec sum, FloatVec a, FloatVec b, FloatVec c, FloatVec e)
            HWY_ATTR { return hn::MulAdd(w3, e, hn::MulAdd(w2, c, hn::MulAdd(w1, b, hn::MulAdd(w0, a, sum)))); },
        static_cast<const float*>(sums), row, row + stride, row + 2 * stride, row + 3 * stride);
  }
  for (; i < count; ++i) {
    const FloatVec w = hn::Set(d, weights[i]);
    map(
        n, sums, [w](FloatVec sum, FloatVec a) HWY_ATTR { return hn::MulAdd(w, a, sum); },
        static_cast<const float*>(sums), rows + i * stride);
  }
}

/// The caches with the new rows in them.
struct Caches {
  const float* keys;    // [batch, capacity, kv_width]
  const float* values;  // the same
  int64_t start;
};

/// Few rows: each is a pass over the cache at the speed of memory. Positions are cut into chunks whose partial results,
/// each with its own maximum and sum, are put together in order.
void attend_rows(const KernelCall& call, const CachedAttentionSizes& sizes, const Caches& caches) {
  const float* qkv = call.in<float>(0);
  const int64_t units = sizes.batch * sizes.time * sizes.kv_heads;
  const int64_t head_dim = sizes.head_dim, group = sizes.heads / sizes.kv_heads;
  const int64_t chunks = (caches.start + sizes.time + kCacheChunk - 1) / kCacheChunk;
  const int64_t partial_stride = sizes.partial_floats();
  ScratchCursor cursor(call.workspace);
  float* partials =
      cursor.floats(units * group * sizes.max_chunks() * partial_stride);  // [row, chunk]: max, sum, values
  float* scores = cursor.floats(call.threads->threads() * kCacheChunk);

  call.threads->run(units * chunks, [&](int64_t block, int thread) HWY_ATTR {
    const int64_t unit = block / chunks, chunk = block % chunks;
    const int64_t kv_head = unit % sizes.kv_heads, t = unit / sizes.kv_heads % sizes.time;
    const int64_t b = unit / sizes.kv_heads / sizes.time;
    const int64_t first = chunk * kCacheChunk;
    const int64_t count = std::clamp<int64_t>(caches.start + t + 1 - first, 0, kCacheChunk);
    const int64_t cache_row = (b * sizes.capacity + first) * sizes.kv_width() + kv_head * head_dim;
    float* row_scores = scores + thread * kCacheChunk;
    for (int64_t g = 0; g < group; ++g) {
      const int64_t row = unit * group + g;
      float* partial = partials + (row * chunks + chunk) * partial_stride;
      partial[0] = -std::numeric_limits<float>::infinity();
      partial[1] = 0;
      if (count == 0) continue;
      const float* query = qkv + (b * sizes.time + t) * sizes.width + (kv_head * group + g) * head_dim;
      for (int64_t j = 0; j < count; ++j) {
        row_scores[j] = sizes.scale * dot(query, caches.keys + cache_row + j * sizes.kv_width(), head_dim);
      }
      softmax_row(row_scores, count, round_up(count, kLanes), partial[0], partial[1]);
      weighted_rows(row_scores, caches.values + cache_row, sizes.kv_width(), count, head_dim, partial + 2);
    }
  });

  float* out = call.out<float>(0);  // [batch, time, heads, head_dim]: rows in the order of units
  call.threads->run(units * group, [&](int64_t row, int) HWY_ATTR {
    const FloatTag d;
    const float* parts = partials + row * chunks * partial_stride;
    float max = parts[0];
    for (int64_t chunk = 1; chunk < chunks; ++chunk) max = std::max(max, parts[chunk * partial_stride]);
    float* to = out + row * head_dim;
    std::fill_n(to, head_dim, 0.0f);
    float sum = 0;
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      const float* part = parts + chunk * partial_stride;
      if (part[1] == 0) continue;
      const float weight = std::exp(part[0] - max);
      sum += weight * part[1];
      const FloatVec factor = hn::Set(d, weight);
      map(
          head_dim, to, [factor](FloatVec total, FloatVec value) HWY_ATTR { return hn::MulAdd(factor, value, total); },
          static_cast<const float*>(to), part + 2);
    }
    const FloatVec factor = hn::Set(d, 1.0f / sum);
    map(
        head_dim, to, [factor](FloatVec total) HWY_ATTR { return hn::Mul(total, factor); },
        static_cast<const float*>(to));
  });
}

/// Many rows: tiles, as without a cache.
void attend_tiles(const KernelCall& call, const CachedAttentionSizes& sizes, const Caches& caches) {
  const float* qkv = call.in<float>(0);
  float* out = call.out<float>(0);
  const int64_t head_dim = sizes.head_dim, group = sizes.heads / sizes.kv_heads;
  const int64_t keys = caches.start + sizes.time;
  const size_t scratch_bytes = AttentionScratch::bytes(sizes.capacity, head_dim);
  call.threads->run(sizes.batch * sizes.kv_heads, [&](int64_t unit, int thread) HWY_ATTR {
    const int64_t kv_head = unit % sizes.kv_heads, b = unit / sizes.kv_heads;
    ScratchCursor cursor(call.workspace + static_cast<size_t>(thread) * scratch_bytes);
    const AttentionScratch scratch(cursor, sizes.capacity, head_dim);
    const int64_t cache_row = b * sizes.capacity * sizes.kv_width() + kv_head * head_dim;
    pack_keys_and_values(caches.keys + cache_row, caches.values + cache_row, sizes.kv_width(), keys, keys, head_dim,
                         scratch);
    for (int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
      const QueryHead head = {.queries = qkv + b * sizes.time * sizes.width + h * head_dim,
                              .query_stride = sizes.width,
                              .out = out + b * sizes.time * sizes.heads * head_dim + h * head_dim,
                              .out_stride = sizes.heads * head_dim,
                              .log_sums = nullptr,
                              .head_dim = head_dim,
                              .key_count = keys,
                              .position = caches.start,
                              .causal = true,
                              .scale = sizes.scale,
                              .dropout = nullptr,
                              .first_element = 0};
      for (int64_t first = 0; first < sizes.time; first += kQueryBlock) {
        attend_block(head, first, std::min(kQueryBlock, sizes.time - first), scratch);
      }
    }
  });
}

void cached_attention(const KernelCall& call) {
  const CachedAttentionSizes sizes(call.attributes_as<AttentionAttributes>(), call.in_shape(0), call.in_shape(1));
  const Caches caches = {call.out<float>(1), call.out<float>(2), *call.in<int32_t>(3)};
  if (sizes.time < kTiledRows) {
    attend_rows(call, sizes, caches);
  } else {
    attend_tiles(call, sizes, caches);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(cached_attention);

/// Output `cache` of the call becomes its input with the new rows, columns [column, column + width of the cache) of
/// qkv.
void write_rows(const KernelCall& call, size_t cache, int64_t column, int64_t start) {
  const float* old = call.in<float>(cache);
  float* to = call.out<float>(cache);
  if (old != to) {
    run_blocks(*call.threads, call.outputs[cache].elements(), kElementsPerBlock,
               [&](int64_t begin, int64_t end) { std::copy(old + begin, old + end, to + begin); });
  }
  const Shape &qkv = call.in_shape(0), &shape = call.in_shape(cache);
  const float* rows = call.in<float>(0) + column;
  for (int64_t b = 0; b < qkv[0]; ++b) {
    for (int64_t t = 0; t < qkv[1]; ++t) {
      std::copy_n(rows + (b * qkv[1] + t) * qkv[2], shape[2], to + (b * shape[1] + start + t) * shape[2]);
    }
  }
}

void run_cached_attention(const KernelCall& call) {
  const CachedAttentionSizes sizes(call.attributes_as<AttentionAttributes>(), call.in_shape(0), call.in_shape(1));
  const int64_t start = *call.in<int32_t>(3);
  if (start < 0 || start + sizes.time > sizes.capacity) {
    fail(
        fmt::format("cached_attention: {} rows from position {} do not fit a cache of {} positions: the first position "
                    "must lie in [0, {}]",
                    sizes.time, start, sizes.capacity, sizes.capacity - sizes.time));
  }
  write_rows(call, 1, sizes.heads * sizes.head_dim, start);
  write_rows(call, 2, sizes.heads * sizes.head_dim + sizes.kv_width(), start);
  HWY_DYNAMIC_DISPATCH(cached_attention)(call);
}

size_t cached_attention_workspace(const Node& node, std::span<const Type> inputs, int threads) {
  const CachedAttentionSizes sizes(node.attributes_as<AttentionAttributes>(), inputs[0].shape, inputs[1].shape);
  if (sizes.time >= kTiledRows) {
    return AttentionScratch::bytes(sizes.capacity, sizes.head_dim) * static_cast<size_t>(threads);
  }
  ScratchCursor cursor;
  cursor.floats(sizes.batch * sizes.time * sizes.heads * sizes.max_chunks() * sizes.partial_floats());
  cursor.floats(threads * kCacheChunk);
  return cursor.used();
}

}  // namespace

const Kernel cpu_cached_attention = {run_cached_attention, cached_attention_workspace};

}  // namespace sesame
#endif  // HWY_ONCE
