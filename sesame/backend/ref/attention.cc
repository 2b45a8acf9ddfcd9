#include <algorithm>
#include <cmath>
#include <limits>

#include "sesame/backend/ref/dropout_mask.h"
#include "sesame/backend/ref/packed_heads.h"
#include "sesame/backend/ref/ref_table.h"

namespace sesame::ref {
namespace {

/// One call's view of its attention matrix.
template <typename T>
struct Scores {
  PackedHeads at;
  const AttentionAttributes& attributes;
  const T* qkv;
  DropoutMask mask;

  explicit Scores(const KernelCall& call)
      : at(call.in_shape(0), call.attributes_as<AttentionAttributes>()),
        attributes(call.attributes_as<AttentionAttributes>()),
        qkv(call.in<T>(0)),
        mask(attributes.dropout, attributes.key, *call.step) {}

  /// Keys 0 .. visible(i) - 1 are seen by query i.
  [[nodiscard]] int64_t visible(int64_t i) const { return attributes.causal ? i + 1 : at.time; }

  [[nodiscard]] double score(int64_t b, int64_t h, int64_t i, int64_t j) const {
    return attributes.scale * dot(qkv + at.query(b, i, h), qkv + at.key(b, j, h), at.head_dim);
  }

  [[nodiscard]] double log_sum_exp(int64_t b, int64_t h, int64_t i) const {
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t j = 0; j < visible(i); ++j) largest = std::max(largest, score(b, h, i, j));
    double sum = 0;
    for (int64_t j = 0; j < visible(i); ++j) sum += std::exp(score(b, h, i, j) - largest);
    return largest + std::log(sum);
  }

  /// What the probability of key j is multiplied by: 1 without dropout.
  [[nodiscard]] double kept(int64_t b, int64_t h, int64_t i, int64_t j) const {
    return attributes.dropout > 0 ? mask(((b * at.heads + h) * at.time + i) * at.time + j) : 1.0;
  }

  template <typename F>
  void for_each_query(F&& f) const {
    for (int64_t b = 0; b < at.batch; ++b) {
      for (int64_t h = 0; h < at.heads; ++h) {
        for (int64_t i = 0; i < at.time; ++i) f(b, h, i);
      }
    }
  }
};

// qkv -> out [batch, time, heads * head_dim], lse [batch, heads, time]
template <typename T>
void attention(const KernelCall& call) {
  const Scores<T> scores(call);
  const PackedHeads& at = scores.at;
  scores.for_each_query([&](int64_t b, int64_t h, int64_t i) {
    const double lse = scores.log_sum_exp(b, h, i);
    call.out<T>(1)[(b * at.heads + h) * at.time + i] = static_cast<T>(lse);
    T* out = call.out<T>(0) + ((b * at.time + i) * at.heads + h) * at.head_dim;
    for (int64_t d = 0; d < at.head_dim; ++d) out[d] = 0;
    for (int64_t j = 0; j < scores.visible(i); ++j) {
      const double p = std::exp(scores.score(b, h, i, j) - lse) * scores.kept(b, h, i, j);
      const T* value = scores.qkv + at.value(b, j, h);
      for (int64_t d = 0; d < at.head_dim; ++d) out[d] += static_cast<T>(p * value[d]);
    }
  });
}

// qkv, out, lse, dout -> dqkv. The softmax's gradient is dS = P (dP - sum_j P dP).
template <typename T>
void attention_grad(const KernelCall& call) {
  const Scores<T> scores(call);
  const PackedHeads& at = scores.at;
  T* dqkv = call.out<T>(0);
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i) dqkv[i] = 0;
  scores.for_each_query([&](int64_t b, int64_t h, int64_t i) {
    const double lse = call.in<T>(2)[(b * at.heads + h) * at.time + i];
    const T* dout = call.in<T>(3) + ((b * at.time + i) * at.heads + h) * at.head_dim;
    const auto probability = [&](int64_t j) { return std::exp(scores.score(b, h, i, j) - lse); };
    const auto probability_grad = [&](int64_t j) {
      return scores.kept(b, h, i, j) * dot(dout, scores.qkv + at.value(b, j, h), at.head_dim);
    };
    double mean = 0;
    for (int64_t j = 0; j < scores.visible(i); ++j) mean += probability(j) * probability_grad(j);
    for (int64_t j = 0; j < scores.visible(i); ++j) {
      const double p = probability(j);
      const double ds = scores.attributes.scale * p * (probability_grad(j) - mean);
      const double kept = p * scores.kept(b, h, i, j);
      const int64_t query = at.query(b, i, h);
      const int64_t key = at.key(b, j, h);
      const int64_t value = at.value(b, j, h);
      for (int64_t d = 0; d < at.head_dim; ++d) {
        dqkv[query + d] += static_cast<T>(ds * scores.qkv[key + d]);
        dqkv[key + d] += static_cast<T>(ds * scores.qkv[query + d]);
        dqkv[value + d] += static_cast<T>(kept * dout[d]);
      }
    }
  });
}

template <typename T>
void add_floating(RefTable& table) {
  table.set(Op::attention, kDTypeOf<T>, attention<T>);
  table.set(Op::attention_grad, kDTypeOf<T>, attention_grad<T>);
}

}  // namespace

void add_attention_kernels(RefTable& table) {
  add_floating<float>(table);
  add_floating<double>(table);
}

}  // namespace sesame::ref
