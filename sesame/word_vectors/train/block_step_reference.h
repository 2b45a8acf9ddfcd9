#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "sesame/word_vectors/train/block_step.h"

/// The steps and losses of block_step.h as plain loops: what they mean. The kernels are held against them in float, the
/// gradients against the engine's in double.
namespace sesame::reference {

template <typename T>
T sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}

/// -log sigmoid(x).
template <typename T>
T softplus_of_negative(T x) {
  return std::max(-x, T{0}) + std::log1p(std::exp(-std::abs(x)));
}

template <typename T>
T dot(const T* a, const T* b, int64_t dim) {
  T sum = 0;
  for (int64_t d = 0; d < dim; ++d) sum += a[d] * b[d];
  return sum;
}

template <typename T>
void add_scaled(T* y, T scale, const T* x, int64_t dim) {
  for (int64_t d = 0; d < dim; ++d) y[d] += scale * x[d];
}

/// The pairs of one target.
template <typename T>
struct TargetPairs {
  T* row;
  T label;
  std::vector<T*> h;
};

/// All pairs of a group of targets, at the rows as they are; then both sides move.
template <typename T>
void step_target_group(std::span<const TargetPairs<T>> targets, int64_t dim, T rate) {
  struct Move {
    T* row;
    std::vector<T> step;
  };
  std::vector<Move> moves;
  const auto move = [&](T* row, T g, const T* other) {
    moves.push_back({row, std::vector<T>(static_cast<size_t>(dim))});
    add_scaled(moves.back().step.data(), g, other, dim);
  };
  for (const TargetPairs<T>& target : targets) {
    for (T* const h : target.h) {
      const T g = rate * (target.label - sigmoid(dot(target.row, h, dim)));
      move(h, g, target.row);
      move(target.row, g, h);
    }
  }
  for (const Move& each : moves) add_scaled(each.row, T{1}, each.step.data(), dim);
}

template <typename T>
void step_targets(std::span<const TargetPairs<T>> targets, int64_t dim, T rate) {
  for (size_t t = 0; t < targets.size(); t += kTargetGroup) {
    step_target_group(targets.subspan(t, std::min<size_t>(kTargetGroup, targets.size() - t)), dim, rate);
  }
}

/// Every row of h against every negative, all at the rows as they are; then both sides move. weights [h, stride].
template <typename T>
void step_negative_group(std::span<T* const> h, std::span<T* const> negatives, const float* weights, size_t stride,
                         int64_t dim, T rate) {
  const auto width = static_cast<size_t>(dim);
  std::vector<T> h_step(h.size() * width);
  std::vector<T> negative_step(negatives.size() * width);
  for (size_t i = 0; i < h.size(); ++i) {
    for (size_t n = 0; n < negatives.size(); ++n) {
      const T weight = static_cast<T>(weights[i * stride + n]);
      const T g = -rate * weight * sigmoid(dot(h[i], negatives[n], dim));
      add_scaled(&h_step[i * width], g, negatives[n], dim);
      add_scaled(&negative_step[n * width], g, h[i], dim);
    }
  }
  for (size_t i = 0; i < h.size(); ++i) add_scaled(h[i], T{1}, &h_step[i * width], dim);
  for (size_t n = 0; n < negatives.size(); ++n) add_scaled(negatives[n], T{1}, &negative_step[n * width], dim);
}

template <typename T>
void step_negatives(std::span<T* const> h, const BlockOf<T>& block, int64_t dim, T rate) {
  const size_t all = block.negatives.size();
  for (size_t n = 0; n < all; n += kNegativeGroup) {
    const std::span<T* const> group = block.negatives.subspan(n, std::min<size_t>(kNegativeGroup, all - n));
    step_negative_group(h, group, block.weights + n, all, dim, rate);
  }
}

/// The inputs in a centre's window.
template <typename T>
std::vector<T*> contexts_of(const BlockOf<T>& block, const ContextWindow& window) {
  std::vector<T*> rows;
  for (int32_t i = window.first; i < window.last; ++i) {
    if (i != window.self) rows.push_back(block.inputs[static_cast<size_t>(i)]);
  }
  return rows;
}

template <typename T>
void step_skipgram(const BlockOf<T>& block, int64_t dim, T rate) {
  std::vector<TargetPairs<T>> targets;
  for (const BlockTargetOf<T>& target : block.targets) {
    targets.push_back({target.row, static_cast<T>(target.label),
                       contexts_of(block, block.centres[static_cast<size_t>(target.centre)])});
  }
  step_targets<T>(targets, dim, rate);
  step_negatives<T>(block.inputs, block, dim, rate);
}

/// The means of all windows, [centres, dim], and of how many rows each is the mean (0: no context, h = 0).
template <typename T>
struct HiddenRows {
  HiddenRows(const BlockOf<T>& block, int64_t dim)
      : values(block.centres.size() * static_cast<size_t>(dim)), counts(block.centres.size()) {
    for (size_t c = 0; c < block.centres.size(); ++c) {
      rows.push_back(&values[c * static_cast<size_t>(dim)]);
      const ContextWindow& window = block.centres[c];
      for (int32_t i = window.first; i < window.last; ++i) {
        if (i == window.self) continue;
        counts[c] += block.input_counts == nullptr ? T{1} : static_cast<T>(block.input_counts[i]);
        add_scaled(rows[c], T{1}, block.inputs[static_cast<size_t>(i)], dim);
      }
      for (int64_t d = 0; d < dim && counts[c] > 0; ++d) rows[c][d] /= counts[c];
    }
  }

  std::vector<T> values;
  std::vector<T> counts;
  std::vector<T*> rows;
};

template <typename T>
void step_cbow(const BlockOf<T>& block, int64_t dim, T rate, CbowGradient gradient) {
  HiddenRows<T> hidden(block, dim);
  const std::vector<T> before = hidden.values;
  std::vector<TargetPairs<T>> targets;
  for (const BlockTargetOf<T>& target : block.targets) {
    targets.push_back({target.row, static_cast<T>(target.label), {hidden.rows[static_cast<size_t>(target.centre)]}});
  }
  step_targets<T>(targets, dim, rate);
  step_negatives<T>(hidden.rows, block, dim, rate);
  for (size_t c = 0; c < block.centres.size(); ++c) {
    const T share = gradient == CbowGradient::full ? T{1} : 1 / hidden.counts[c];
    for (T* const context : contexts_of(block, block.centres[c])) {
      add_scaled(context, share, hidden.rows[c], dim);
      add_scaled(context, -share, &before[c * static_cast<size_t>(dim)], dim);
    }
  }
}

template <typename T>
void add_negative_loss(const T* h, const float* weights, const BlockOf<T>& block, int64_t dim, BlockLoss& sum) {
  for (size_t n = 0; n < block.negatives.size(); ++n) {
    sum.loss += static_cast<double>(weights[n]) * softplus_of_negative(-dot(h, block.negatives[n], dim));
    sum.weight += static_cast<double>(weights[n]);
  }
}

template <typename T>
void add_pair_loss(const T* h, const BlockTargetOf<T>& target, int64_t dim, BlockLoss& sum) {
  const T score = dot(h, target.row, dim);
  const T label = static_cast<T>(target.label);
  sum.loss += label * softplus_of_negative(score) + (1 - label) * softplus_of_negative(-score);
  sum.weight += 1;
}

template <typename T>
BlockLoss loss_of_skipgram(const BlockOf<T>& block, int64_t dim) {
  BlockLoss sum;
  for (const BlockTargetOf<T>& target : block.targets) {
    for (const T* h : contexts_of(block, block.centres[static_cast<size_t>(target.centre)])) {
      add_pair_loss(h, target, dim, sum);
    }
  }
  for (size_t i = 0; i < block.inputs.size(); ++i) {
    add_negative_loss(block.inputs[i], block.weights + i * block.negatives.size(), block, dim, sum);
  }
  return sum;
}

template <typename T>
BlockLoss loss_of_cbow(const BlockOf<T>& block, int64_t dim) {
  BlockLoss sum;
  const HiddenRows<T> hidden(block, dim);
  for (const BlockTargetOf<T>& target : block.targets) {
    add_pair_loss(hidden.rows[static_cast<size_t>(target.centre)], target, dim, sum);
  }
  for (size_t c = 0; c < block.centres.size(); ++c) {
    if (hidden.counts[c] == 0) continue;
    add_negative_loss(hidden.rows[c], block.weights + c * block.negatives.size(), block, dim, sum);
  }
  return sum;
}

}  // namespace sesame::reference
