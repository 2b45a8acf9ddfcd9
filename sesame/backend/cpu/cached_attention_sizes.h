#pragma once

#include <cstdint>

#include "sesame/graph/attributes.h"
#include "sesame/graph/shape.h"

namespace sesame {

/// Positions of the cache that one block of a pass over few rows visits.
inline constexpr int64_t kCacheChunk = 128;

/// From this many new rows on, tiles of matrix products pay.
inline constexpr int64_t kTiledRows = 4;

struct CachedAttentionSizes {
  int64_t batch, time, width, capacity, heads, kv_heads, head_dim;
  float scale;

  CachedAttentionSizes(const AttentionAttributes& attributes, const Shape& qkv, const Shape& cache)
      : batch(qkv[0]),
        time(qkv[1]),
        width(qkv[2]),
        capacity(cache[1]),
        heads(attributes.heads),
        kv_heads(attributes.kv_heads),
        head_dim(qkv[2] / (attributes.heads + 2 * attributes.kv_heads)),
        scale(static_cast<float>(attributes.scale)) {}

  [[nodiscard]] int64_t kv_width() const { return kv_heads * head_dim; }
  [[nodiscard]] int64_t max_chunks() const { return (capacity + kCacheChunk - 1) / kCacheChunk; }
  /// What one chunk gives for one row: maximum, sum, weighted values.
  [[nodiscard]] int64_t partial_floats() const { return head_dim + 2; }
  /// One thread's scores of one row against one chunk, all heads.
  [[nodiscard]] int64_t score_floats() const { return heads * kCacheChunk; }
};

}  // namespace sesame
