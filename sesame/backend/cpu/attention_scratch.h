#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace sesame {

/// Attention works on blocks of this many query rows against blocks of this many keys. Both are multiples of every
/// register block's rows and columns on every instruction set.
inline constexpr int64_t kQueryBlock = 48;
inline constexpr int64_t kKeyBlock = 288;

/// Floats between rows of a tile of scores: not a power of two, so that rows do not share cache sets.
inline constexpr int64_t kScoreStride = kKeyBlock + 16;

/// Keys and columns in packed tiles are padded to a multiple of this, whatever the instruction set.
inline constexpr int64_t kTilePadding = 96;
inline constexpr int64_t kColumnPadding = 32;

constexpr int64_t padded_to(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/// Hands out 64-byte aligned pieces of a scratch buffer; with no buffer, only counts what they would take.
class ScratchCursor {
 public:
  explicit ScratchCursor(std::byte* base = nullptr) : base_(base) {}

  float* floats(int64_t count) {
    std::byte* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += static_cast<size_t>(padded_to(count, 16)) * sizeof(float);
    return reinterpret_cast<float*>(piece);
  }
  [[nodiscard]] size_t used() const { return used_; }

 private:
  std::byte* base_;
  size_t used_ = 0;
};

/// One thread's scratch for the forward pass over keys [keys, head_dim].
struct AttentionScratch {
  float* keys;     // transposed panels
  float* values;   // row panels
  float* queries;  // row panels of one block, times scale
  float* scores;   // [kQueryBlock, kScoreStride]
  float* sums;     // [kQueryBlock, padded head_dim]: the weighted values
  float* row_max;  // [kQueryBlock]
  float* row_sum;  // [kQueryBlock]
  float* factors;  // [kScoreStride]: dropout of one row

  AttentionScratch(ScratchCursor& cursor, int64_t key_count, int64_t head_dim) {
    const int64_t padded_keys = padded_to(key_count, kTilePadding);
    const int64_t padded_dim = padded_to(head_dim, kColumnPadding);
    keys = cursor.floats(padded_keys * head_dim);
    values = cursor.floats(padded_keys * padded_dim);
    queries = cursor.floats(kQueryBlock * padded_dim);
    scores = cursor.floats(kQueryBlock * kScoreStride);
    sums = cursor.floats(kQueryBlock * padded_dim);
    row_max = cursor.floats(kQueryBlock);
    row_sum = cursor.floats(kQueryBlock);
    factors = cursor.floats(kScoreStride);
  }

  static size_t bytes(int64_t key_count, int64_t head_dim) {
    ScratchCursor cursor;
    AttentionScratch scratch(cursor, key_count, head_dim);
    return cursor.used();
  }
};

/// One thread's scratch for the backward pass of one key/value head over time rows.
struct AttentionGradScratch {
  float* keys;              // transposed panels
  float* values;            // transposed panels
  float* key_rows;          // row panels
  float* query_rows;        // row panels of one block, times scale
  float* output_grad_rows;  // row panels of one block
  float* scores;            // [kQueryBlock, kScoreStride]: probabilities
  float* score_grads;       // [kQueryBlock, kScoreStride]
  float* query_grads;       // [kQueryBlock, padded head_dim]
  float* key_grads;         // [padded keys, padded head_dim]
  float* value_grads;       // [padded keys, padded head_dim]
  float* deltas;            // [kQueryBlock]: output times its gradient, by rows
  float* factors;           // [kScoreStride]: dropout of one row

  AttentionGradScratch(ScratchCursor& cursor, int64_t time, int64_t head_dim) {
    const int64_t padded_keys = padded_to(time, kTilePadding);
    const int64_t padded_dim = padded_to(head_dim, kColumnPadding);
    keys = cursor.floats(padded_keys * head_dim);
    values = cursor.floats(padded_keys * head_dim);
    key_rows = cursor.floats(padded_keys * padded_dim);
    query_rows = cursor.floats(kQueryBlock * padded_dim);
    output_grad_rows = cursor.floats(kQueryBlock * padded_dim);
    scores = cursor.floats(kQueryBlock * kScoreStride);
    score_grads = cursor.floats(kQueryBlock * kScoreStride);
    query_grads = cursor.floats(kQueryBlock * padded_dim);
    key_grads = cursor.floats(padded_keys * padded_dim);
    value_grads = cursor.floats(padded_keys * padded_dim);
    deltas = cursor.floats(kQueryBlock);
    factors = cursor.floats(kScoreStride);
  }

  static size_t bytes(int64_t time, int64_t head_dim) {
    ScratchCursor cursor;
    AttentionGradScratch scratch(cursor, time, head_dim);
    return cursor.used();
  }
};

}  // namespace sesame
