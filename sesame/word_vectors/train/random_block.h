#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "sesame/word_vectors/train/block.h"

namespace sesame {

/// What a RandomBlock looks like.
struct RandomBlockShape {
  int64_t centres = 16;
  int64_t window = 5;
  int64_t negatives = 16;
  int64_t targets_per_centre = 1;  // more than one: labels are 0 and 1
  bool weights_by_centre = false;  // as CBOW has them; skip-gram: by input
  bool counts = false;             // input_counts
};

/// For tests and benchmarks: a block by the numbers of its rows, as a trainer would make it of consecutive words.
class RandomBlock {
 public:
  using DrawRow = std::function<int32_t(std::mt19937_64&)>;

  RandomBlock(const RandomBlockShape& shape, std::mt19937_64& random, const DrawRow& input_row,
              const DrawRow& output_row) {
    const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
    const int64_t words = std::min(shape.centres + 2 * shape.window, Block::kMaxInputs);
    for (int64_t i = 0; i < words; ++i) inputs.push_back(input_row(random));
    for (int64_t c = 0; c < shape.centres; ++c) {
      const int64_t self = c + shape.window;
      const int64_t reach = 1 + below(shape.window);
      windows.push_back({static_cast<int32_t>(self - reach), static_cast<int32_t>(std::min(words, self + reach + 1)),
                         static_cast<int32_t>(self)});
      for (int64_t t = 0; t < shape.targets_per_centre; ++t) {
        targets.push_back(output_row(random));
        target_centres.push_back(static_cast<int32_t>(c));
        labels.push_back(shape.targets_per_centre == 1 ? 1.0F : static_cast<float>(below(2)));
      }
    }
    for (int64_t n = 0; n < shape.negatives; ++n) negatives.push_back(output_row(random));
    const int64_t weighted = (shape.weights_by_centre ? shape.centres : words) * shape.negatives;
    for (int64_t i = 0; i < weighted; ++i) weights.push_back(static_cast<float>(below(8)) / 4);
    for (int64_t i = 0; i < words && shape.counts; ++i) counts.push_back(static_cast<float>(1 + below(20)));
  }

  std::vector<int32_t> inputs;  // rows of the input table
  std::vector<ContextWindow> windows;
  std::vector<int32_t> targets;  // rows of the output table
  std::vector<int32_t> target_centres;
  std::vector<float> labels;
  std::vector<int32_t> negatives;  // rows of the output table
  std::vector<float> weights;
  std::vector<float> counts;
};

/// A RandomBlock in two tables, whose rows lie `stride` apart.
template <typename T>
class PlacedBlock {
 public:
  PlacedBlock(const RandomBlock& of, T* input_table, T* output_table, int64_t stride) {
    for (const int32_t row : of.inputs) inputs_.push_back(input_table + row * stride);
    for (size_t t = 0; t < of.targets.size(); ++t) {
      targets_.push_back({output_table + of.targets[t] * stride, of.target_centres[t], of.labels[t]});
    }
    for (const int32_t row : of.negatives) negatives_.push_back(output_table + row * stride);
    block_.inputs = inputs_;
    block_.centres = of.windows;
    block_.targets = targets_;
    block_.negatives = negatives_;
    block_.weights = of.weights.data();
    block_.input_counts = of.counts.empty() ? nullptr : of.counts.data();
  }
  PlacedBlock(const PlacedBlock&) = delete;
  PlacedBlock(PlacedBlock&&) = default;  // vectors keep their memory, so spans stay valid

  [[nodiscard]] const BlockOf<T>& block() const noexcept { return block_; }
  [[nodiscard]] BlockOf<T>& block() noexcept { return block_; }

 private:
  std::vector<T*> inputs_;
  std::vector<BlockTargetOf<T>> targets_;
  std::vector<T*> negatives_;
  BlockOf<T> block_;
};

}  // namespace sesame
