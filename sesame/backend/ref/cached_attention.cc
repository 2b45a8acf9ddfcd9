#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sesame/backend/ref/packed_heads.h"
#include "sesame/backend/ref/ref_table.h"
#include "sesame/base/error.h"

namespace sesame::ref {
namespace {

/// Copies the cache (unless it is updated in place) and writes the new rows' columns [first, first + width) at `start`.
template <typename T>
void append_rows(const Tensor& from, const Tensor& to, const Tensor& qkv, int64_t first, int64_t start) {
  const int64_t batch = to.type.shape[0];
  const int64_t capacity = to.type.shape[1];
  const int64_t width = to.type.shape[2];
  const int64_t time = qkv.type.shape[1];
  if (from.data != to.data) std::copy_n(from.as<const T>(), to.elements(), to.as<T>());
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t t = 0; t < time; ++t) {
      const T* row = qkv.as<const T>() + (b * time + t) * qkv.type.shape[2] + first;
      std::copy_n(row, width, to.as<T>() + (b * capacity + start + t) * width);
    }
  }
}

// qkv, keys, values, start -> out, keys', values'
template <typename T>
void cached_attention(const KernelCall& call) {
  const auto& attributes = call.attributes_as<AttentionAttributes>();
  const PackedHeads at(call.in_shape(0), attributes);
  const int64_t capacity = call.in_shape(1)[1];
  const int64_t cache_width = at.kv_heads * at.head_dim;
  const int64_t start = *call.in<int32_t>(3);
  if (start < 0 || start + at.time > capacity) {
    fail(
        fmt::format("cached_attention: {} rows from position {} do not fit a cache of {} positions: the first position "
                    "must lie in [0, {}]",
                    at.time, start, capacity, capacity - at.time));
  }
  append_rows<T>(call.inputs[1], call.outputs[1], call.inputs[0], at.heads * at.head_dim, start);
  append_rows<T>(call.inputs[2], call.outputs[2], call.inputs[0], at.heads * at.head_dim + cache_width, start);
  for (int64_t b = 0; b < at.batch; ++b) {
    for (int64_t h = 0; h < at.heads; ++h) {
      const int64_t head = b * capacity * cache_width + at.shared_head(h) * at.head_dim;
      const T* keys = call.out<T>(1) + head;
      const T* values = call.out<T>(2) + head;
      for (int64_t i = 0; i < at.time; ++i) {
        const T* query = call.in<T>(0) + at.query(b, i, h);
        const int64_t visible = start + i + 1;
        const auto score = [&](int64_t j) {
          return attributes.scale * dot(query, keys + j * cache_width, at.head_dim);
        };
        double largest = -std::numeric_limits<double>::infinity();
        for (int64_t j = 0; j < visible; ++j) largest = std::max(largest, score(j));
        double sum = 0;
        for (int64_t j = 0; j < visible; ++j) sum += std::exp(score(j) - largest);
        for (int64_t d = 0; d < at.head_dim; ++d) {
          double out = 0;
          for (int64_t j = 0; j < visible; ++j) out += std::exp(score(j) - largest) / sum * values[j * cache_width + d];
          call.out<T>(0)[((b * at.time + i) * at.heads + h) * at.head_dim + d] = static_cast<T>(out);
        }
      }
    }
  }
}

}  // namespace

void add_cached_attention_kernels(RefTable& table) {
  table.set(Op::cached_attention, DType::f32, cached_attention<float>);
  table.set(Op::cached_attention, DType::f64, cached_attention<double>);
}

}  // namespace sesame::ref
