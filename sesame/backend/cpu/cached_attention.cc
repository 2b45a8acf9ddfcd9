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

/// sums[j] += sum over i < 4 of weights[i] * rows[i * stride + j].
HWY_INLINE void add_four_rows(const float* weights, const float* rows, int64_t stride, int64_t n, float* sums) {
  const FloatTag d;
  const FloatVec w0 = hn::Set(d, weights[0]), w1 = hn::Set(d, weights[1]);
  const FloatVec w2 = hn::Set(d, weights[2]), w3 = hn::Set(d, weights[3]);
  map(
      n, sums,
      [=](FloatVec sum, FloatVec a, FloatVec b, FloatVec c, FloatVec e)
          HWY_ATTR { return hn::MulAdd(w3, e, hn::MulAdd(w2, c, hn::MulAdd(w1, b, hn::MulAdd(w0, a, sum)))); },
      static_cast<const float*>(sums), rows, rows + stride, rows + 2 * stride, rows + 3 * stride);
}

HWY_INLINE void add_row(float weight, const float* row, int64_t n, float* sums) {
  const FloatVec w = hn::Set(FloatTag(), weight);
  map(
      n, sums, [w](FloatVec sum, FloatVec a) HWY_ATTR { return hn::MulAdd(w, a, sum); },
      static_cast<const float*>(sums), row);
}

/// The caches with the new rows in them.
struct Caches {
  const float* keys;    // [batch, capacity, kv_width]
  const float* values;  // the same
  int64_t start;
};

/// One row of queries against `count` positions of a cache. The cache is walked position by position, all heads of each
/// together, as it lies in memory. Fills one partial result per head: maximum, sum, weighted values.
HWY_INLINE void attend_chunk(const CachedAttentionSizes& sizes, const float* queries, const float* keys,
                             const float* values, int64_t count, float* scores, float* partials,
                             int64_t partial_stride) {
  const int64_t head_dim = sizes.head_dim, kv_width = sizes.kv_width(), group = sizes.heads / sizes.kv_heads;
  for (int64_t j = 0; j < count; ++j) {
    for (int64_t h = 0; h < sizes.heads; ++h) {
      const float* key = keys + j * kv_width + h / group * head_dim;
      scores[h * kCacheChunk + j] = sizes.scale * dot(queries + h * head_dim, key, head_dim);
    }
  }
  for (int64_t h = 0; h < sizes.heads; ++h) {
    float* partial = partials + h * partial_stride;
    softmax_row(scores + h * kCacheChunk, count, round_up(count, kLanes), partial[0], partial[1]);
    std::fill_n(partial + 2, head_dim, 0.0f);
  }
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    for (int64_t h = 0; h < sizes.heads; ++h) {
      add_four_rows(scores + h * kCacheChunk + j, values + j * kv_width + h / group * head_dim, kv_width, head_dim,
                    partials + h * partial_stride + 2);
    }
  }
  for (; j < count; ++j) {
    for (int64_t h = 0; h < sizes.heads; ++h) {
      add_row(scores[h * kCacheChunk + j], values + j * kv_width + h / group * head_dim, head_dim,
              partials + h * partial_stride + 2);
    }
  }
}

/// Few rows: each is a pass over the cache at the speed of memory. Positions are cut into chunks whose partial results,
/// each with its own maximum and sum, are put together in order.
void attend_rows(const KernelCall& call, const CachedAttentionSizes& sizes, const Caches& caches) {
  const float* qkv = call.in<float>(0);
  const int64_t rows = sizes.batch * sizes.time, head_dim = sizes.head_dim;
  const int64_t chunks = (caches.start + sizes.time + kCacheChunk - 1) / kCacheChunk;
  const int64_t partial_stride = sizes.partial_floats();
  ScratchCursor cursor(call.workspace);
  float* partials = cursor.floats(rows * sizes.heads * sizes.max_chunks() * partial_stride);  // [row, head, chunk]
  float* scores = cursor.floats(call.threads->threads() * sizes.score_floats());

  call.threads->run(rows * chunks, [&](int64_t block, int thread) HWY_ATTR {
    const int64_t row = block / chunks, chunk = block % chunks;
    const int64_t b = row / sizes.time, t = row % sizes.time, first = chunk * kCacheChunk;
    const int64_t count = std::clamp<int64_t>(caches.start + t + 1 - first, 0, kCacheChunk);
    float* to = partials + (row * sizes.heads * chunks + chunk) * partial_stride;
    for (int64_t h = 0; h < sizes.heads; ++h) {
      to[h * chunks * partial_stride] = -std::numeric_limits<float>::infinity();
      to[h * chunks * partial_stride + 1] = 0;
    }
    if (count == 0) return;
    const int64_t cached = (b * sizes.capacity + first) * sizes.kv_width();
    attend_chunk(sizes, qkv + row * sizes.width, caches.keys + cached, caches.values + cached, count,
                 scores + thread * sizes.score_floats(), to, chunks * partial_stride);
  });

  float* out = call.out<float>(0);  // [row, head, head_dim]
  call.threads->run(rows * sizes.heads, [&](int64_t head, int) HWY_ATTR {
    const FloatTag d;
    const float* parts = partials + head * chunks * partial_stride;
    float max = parts[0];
    for (int64_t chunk = 1; chunk < chunks; ++chunk) max = std::max(max, parts[chunk * partial_stride]);
    float* to = out + head * head_dim;
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
  cursor.floats(threads * sizes.score_floats());
  return cursor.used();
}

}  // namespace

const Kernel cpu_cached_attention = {run_cached_attention, cached_attention_workspace};

}  // namespace sesame
#endif  // HWY_ONCE
