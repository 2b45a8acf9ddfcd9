#pragma once

#include <cstdint>

#include "sesame/graph/attributes.h"
#include "sesame/graph/shape.h"

namespace sesame::ref {

/// Where a head's columns lie in packed rows [batch, time, queries | keys | values].
struct PackedHeads {
  int64_t batch;
  int64_t time;
  int64_t width;
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;

  PackedHeads(const Shape& qkv, const AttentionAttributes& attributes)
      : batch(qkv[0]),
        time(qkv[1]),
        width(qkv[2]),
        heads(attributes.heads),
        kv_heads(attributes.kv_heads),
        head_dim(qkv[2] / (attributes.heads + 2 * attributes.kv_heads)) {}

  /// The key/value head that query head h reads.
  [[nodiscard]] int64_t shared_head(int64_t h) const { return h / (heads / kv_heads); }

  [[nodiscard]] int64_t query(int64_t b, int64_t t, int64_t h) const { return (b * time + t) * width + h * head_dim; }
  [[nodiscard]] int64_t key(int64_t b, int64_t t, int64_t h) const { return query(b, t, heads + shared_head(h)); }
  [[nodiscard]] int64_t value(int64_t b, int64_t t, int64_t h) const {
    return query(b, t, heads + kv_heads + shared_head(h));
  }
};

template <typename T>
double dot(const T* a, const T* b, int64_t size) {
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += double{a[i]} * b[i];
  return sum;
}

}  // namespace sesame::ref
