#include "sesame/word_vectors/train/block_step.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "sesame/base/error_of.h"
#include "sesame/simd/each_instruction_set.h"
#include "sesame/word_vectors/train/block_step_reference.h"
#include "sesame/word_vectors/train/random_block.h"
#include "sesame/word_vectors/train/tables.h"

namespace sesame {
namespace {

constexpr float kRate = 0.3F;  // so large that a gradient taken at the wrong rows shows

/// Two tables of the same random rows in float, for the kernels, and in double, for the reference.
struct TestTables {
  TestTables(int64_t row_count, int64_t dim, std::mt19937_64& random)
      : rows(row_count), kernel{RowTable(rows, dim), RowTable(rows, dim)}, stride(kernel.input.stride) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    const float scale = 2 / std::sqrt(static_cast<float>(dim));
    for (RowTable* table : {&kernel.input, &kernel.output}) {
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t d = 0; d < dim; ++d) table->row(i)[d] = scale * uniform(random);
      }
    }
    for (const RowTable* table : {&kernel.input, &kernel.output}) {
      exact.insert(exact.end(), table->row(0), table->row(0) + rows * stride);
    }
  }

  [[nodiscard]] PlacedBlock<float> place(const RandomBlock& block) {
    return {block, kernel.input.row(0), kernel.output.row(0), stride};
  }
  [[nodiscard]] PlacedBlock<double> place_exact(const RandomBlock& block) {
    return {block, exact.data(), exact.data() + rows * stride, stride};
  }

  /// The largest difference to the reference, in units of its largest value or of 1; NaN counts as one, and so does
  /// what is not 0 behind the rows.
  [[nodiscard]] double error() const {
    double largest = 0, unit = 1;
    for (const double x : exact) unit = std::max(unit, std::abs(x));
    for (const RowTable* table : {&kernel.input, &kernel.output}) {
      const double* expected = exact.data() + (table == &kernel.input ? 0 : rows * stride);
      for (int64_t i = 0; i < rows * stride; ++i) {
        const double difference = std::abs(static_cast<double>(table->row(0)[i]) - expected[i]) / unit;
        if (!(difference <= largest)) largest = difference;
        const bool is_zero = table->row(0)[i] == 0;
        if (i % stride >= table->dim && !is_zero) return 1e30;
      }
    }
    return largest;
  }

  int64_t rows;
  VectorTables kernel;
  int64_t stride;
  std::vector<double> exact;
};

struct StepCase {
  const char* name;
  int64_t dim;
  RandomBlockShape shape;
  int64_t rows = 1000;  // of each table; few: most rows of the block are there several times
};

std::vector<StepCase> step_cases() {
  std::vector<StepCase> cases;
  for (const int64_t dim : {1, 7, 16, 33, 100, 112, 200, 300, 513}) cases.push_back({"dimension", dim, {}});
  for (const int64_t negatives : {0, 1, 5, 15, 17, 32, 47, 64}) {
    cases.push_back({"negatives", 100, {.negatives = negatives}});
  }
  for (const int64_t window : {1, 2, 3, 8, 9, 20, 64}) cases.push_back({"window", 52, {.window = window}});
  for (const int64_t centres : {1, 2, 7, 64}) cases.push_back({"centres", 100, {.centres = centres}});
  cases.push_back({"tree", 100, {.negatives = 0, .targets_per_centre = 12}});
  cases.push_back({"deep tree", 60, {.negatives = 0, .targets_per_centre = 37}});
  cases.push_back({"targets and negatives", 100, {.negatives = 5, .targets_per_centre = 3}});
  cases.push_back({"largest", 24, {.centres = 64, .window = 64, .negatives = 64}});
  cases.push_back({"repeated rows", 100, {.window = 8, .negatives = 32}, 5});
  cases.push_back({"one row", 36, {.window = 3, .targets_per_centre = 4}, 1});
  return cases;
}

RandomBlock draw(const StepCase& of, std::mt19937_64& random, bool cbow) {
  const auto row = [&](std::mt19937_64& source) {
    return static_cast<int32_t>(source() % static_cast<uint64_t>(of.rows));
  };
  RandomBlockShape shape = of.shape;
  shape.weights_by_centre = cbow;
  return {shape, random, row, row};
}

std::string text_of(const StepCase& of) {
  return fmt::format("{}: dim {}, {} centres, window {}, {} negatives, {} targets each, {} rows", of.name, of.dim,
                     of.shape.centres, of.shape.window, of.shape.negatives, of.shape.targets_per_centre, of.rows);
}

TEST(BlockStepTest, SkipgramEqualsReferenceOnEveryInstructionSet) {
  for_each_instruction_set([](const char* name) {
    std::mt19937_64 random(1);
    for (const StepCase& of : step_cases()) {
      SCOPED_TRACE(fmt::format("{}, {}", name, text_of(of)));
      const RandomBlock block = draw(of, random, false);
      TestTables tables(of.rows, of.dim, random);
      BlockWorkspace workspace(of.dim);
      reference::step_skipgram<double>(tables.place_exact(block).block(), of.dim, kRate);
      step_skipgram(tables.place(block).block(), of.dim, kRate, workspace);
      EXPECT_LE(tables.error(), 1e-5);
    }
  });
}

TEST(BlockStepTest, CbowEqualsReferenceOnEveryInstructionSet) {
  for_each_instruction_set([](const char* name) {
    std::mt19937_64 random(2);
    for (StepCase of : step_cases()) {
      for (const CbowGradient gradient : {CbowGradient::mean, CbowGradient::full}) {
        of.shape.counts = !of.shape.counts;
        SCOPED_TRACE(fmt::format("{}, {}, counts {}", name, text_of(of), of.shape.counts));
        const RandomBlock block = draw(of, random, true);
        TestTables tables(of.rows, of.dim, random);
        BlockWorkspace workspace(of.dim);
        reference::step_cbow<double>(tables.place_exact(block).block(), of.dim, kRate, gradient);
        step_cbow(tables.place(block).block(), of.dim, kRate, gradient, workspace);
        EXPECT_LE(tables.error(), 1e-5);
      }
    }
  });
}

/// A centre that stands alone in its sentence: its window is empty or holds itself only.
TEST(BlockStepTest, CentresWithoutContextsMoveNothing) {
  for_each_instruction_set([](const char* name) {
    SCOPED_TRACE(name);
    std::mt19937_64 random(3);
    TestTables tables(4, 20, random);
    BlockWorkspace workspace(20);
    RandomBlock block(
        {.centres = 1, .window = 1, .negatives = 2, .weights_by_centre = true}, random, [](auto&) { return 1; },
        [](auto&) { return 2; });
    block.targets.clear();
    for (const ContextWindow window : {ContextWindow{1, 2, 1}, ContextWindow{2, 2, 1}}) {
      block.windows = {window};
      for (const CbowGradient gradient : {CbowGradient::mean, CbowGradient::full}) {
        step_cbow(tables.place(block).block(), 20, kRate, gradient, workspace);
      }
      EXPECT_LE(tables.error(), 1e-7);
      EXPECT_EQ(loss_of_cbow(tables.place(block).block(), 20, workspace).weight, 0);
    }
    step_skipgram({}, 20, kRate, workspace);
  });
}

TEST(BlockStepTest, SaturatedScoresStayFinite) {
  for_each_instruction_set([](const char* name) {
    SCOPED_TRACE(name);
    std::mt19937_64 random(4);
    const StepCase of{"saturated", 16, {}, 40};
    const RandomBlock block = draw(of, random, false);
    TestTables tables(of.rows, of.dim, random);
    for (int64_t i = 0; i < of.rows * tables.stride; ++i) {
      tables.kernel.input.row(0)[i] *= 40;
      tables.exact[static_cast<size_t>(i)] = static_cast<double>(tables.kernel.input.row(0)[i]);
    }
    BlockWorkspace workspace(of.dim);
    reference::step_skipgram<double>(tables.place_exact(block).block(), of.dim, 1e-3);
    step_skipgram(tables.place(block).block(), of.dim, 1e-3F, workspace);
    EXPECT_LE(tables.error(), 1e-4);
  });
}

/// Differences of the loss along the direction in which the step goes.
TEST(BlockStepTest, ReferenceStepFollowsFiniteDifferencesOfTheLoss) {
  for (const bool cbow : {false, true}) {
    for (const StepCase& of : {StepCase{"sampling", 9, {.centres = 5, .window = 3, .negatives = 20}, 12},
                               StepCase{"tree", 9, {.centres = 5, .negatives = 0, .targets_per_centre = 4}, 12}}) {
      SCOPED_TRACE(fmt::format("{}, {}", cbow ? "cbow" : "skipgram", text_of(of)));
      std::mt19937_64 random(5);
      const RandomBlock block = draw(of, random, cbow);
      TestTables tables(of.rows, of.dim, random);
      const std::vector<double> before = tables.exact;
      const PlacedBlock<double> placed = tables.place_exact(block);
      constexpr double kTinyRate = 1e-7;
      if (cbow) {
        reference::step_cbow<double>(placed.block(), of.dim, kTinyRate, CbowGradient::mean);
      } else {
        reference::step_skipgram<double>(placed.block(), of.dim, kTinyRate);
      }
      std::vector<double> descent(before.size());
      double squares = 0;
      for (size_t i = 0; i < before.size(); ++i) {
        descent[i] = (tables.exact[i] - before[i]) / kTinyRate;
        squares += descent[i] * descent[i];
      }
      const auto loss_at = [&](double distance) {
        for (size_t i = 0; i < before.size(); ++i) tables.exact[i] = before[i] + distance * descent[i];
        return cbow ? reference::loss_of_cbow(placed.block(), of.dim).loss
                    : reference::loss_of_skipgram(placed.block(), of.dim).loss;
      };
      // Along its own negative gradient the loss falls at the rate of the gradient's square.
      constexpr double kStep = 1e-4;
      EXPECT_NEAR((loss_at(-kStep) - loss_at(kStep)) / (2 * kStep), squares, 1e-5 * squares);
      // And along a random direction at the product of both.
      std::vector<double> direction(before.size());
      double product = 0;
      std::uniform_real_distribution<double> uniform(-1, 1);
      for (size_t i = 0; i < before.size(); ++i) product += descent[i] * (direction[i] = uniform(random));
      descent = direction;
      EXPECT_NEAR((loss_at(-kStep) - loss_at(kStep)) / (2 * kStep), product, 1e-5 * squares);
    }
  }
}

TEST(BlockStepTest, LossEqualsReference) {
  std::mt19937_64 random(6);
  const StepCase of{"loss", 100, {}, 1000};
  for (const bool cbow : {false, true}) {
    const RandomBlock block = draw(of, random, cbow);
    TestTables tables(of.rows, of.dim, random);
    BlockWorkspace workspace(of.dim);
    const auto float_block = tables.place(block);
    const auto double_block = tables.place_exact(block);
    const BlockLoss loss = cbow ? loss_of_cbow(float_block.block(), of.dim, workspace)
                                : loss_of_skipgram(float_block.block(), of.dim, workspace);
    const BlockLoss expected = cbow ? reference::loss_of_cbow(double_block.block(), of.dim)
                                    : reference::loss_of_skipgram(double_block.block(), of.dim);
    EXPECT_NEAR(loss.loss, expected.loss, 1e-5 * expected.loss);
    EXPECT_DOUBLE_EQ(loss.weight, expected.weight);
    EXPECT_LE(tables.error(), 0) << "the loss moved a row";
  }
}

TEST(BlockStepTest, FlopsCountPairsThatHaveAWeight) {
  std::vector<float> row(16);
  const std::vector<float*> rows(4, row.data());
  const std::vector<ContextWindow> windows{{0, 4, 1}, {1, 3, 1}};  // 3 contexts and 1
  const std::vector<BlockTarget> targets{{row.data(), 0, 1}, {row.data(), 1, 1}, {row.data(), 1, 0}};
  const std::vector<float> weights{1, 0, 0.5F, 2, 1, 0, 0, 0};
  const Block block{rows, windows, targets, std::span(rows).first(2), weights.data(), nullptr, {}};
  EXPECT_EQ(step_flops(block, 10, Architecture::skipgram), 6 * 10 * (3 + 1 + 1 + 4));
  EXPECT_EQ(step_flops(block, 10, Architecture::cbow), 6 * 10 * (1 + 1 + 1 + 3));
}

TEST(BlockStepTest, RefusesBlocksThatAreTooLarge) {
  std::vector<float> row(16);
  const std::vector<float*> rows(Block::kMaxInputs + 1, row.data());
  Block block;
  block.inputs = rows;
  BlockWorkspace workspace(10);
  EXPECT_NE(error_of([&] { step_skipgram(block, 10, 1, workspace); }).find("257 inputs"), std::string::npos);
  EXPECT_NE(error_of([&] { step_cbow({}, 40, 1, CbowGradient::mean, workspace); }).find("40 channels"),
            std::string::npos);
}

TEST(RowsTest, SumsAndMovesRowsOnEveryInstructionSet) {
  for_each_instruction_set([](const char* name) {
    std::mt19937_64 random(8);
    for (const int64_t dim : {1, 16, 100, 300}) {
      SCOPED_TRACE(fmt::format("{}, dim {}", name, dim));
      TestTables tables(30, dim, random);
      std::vector<float*> rows;
      std::vector<double> expected(static_cast<size_t>(tables.stride));
      for (int i = 0; i < 23; ++i) {
        const auto row = static_cast<int64_t>(random() % 30);
        rows.push_back(tables.kernel.input.row(row));
        for (int64_t d = 0; d < dim; ++d)
          expected[static_cast<size_t>(d)] += 0.5 * tables.exact[static_cast<size_t>(row * tables.stride + d)];
      }
      std::vector<float> sum(static_cast<size_t>(tables.stride), 7.0F);
      sum_rows(std::vector<const float*>(rows.begin(), rows.end()), dim, 0.5F, sum.data());
      for (size_t d = 0; d < sum.size(); ++d) EXPECT_NEAR(sum[d], expected[d], 1e-5);

      for (const float* row : rows) {
        for (int64_t d = 0; d < dim; ++d) {
          tables.exact[static_cast<size_t>(row - tables.kernel.input.row(0) + d)] +=
              static_cast<double>(sum[static_cast<size_t>(d)]);
        }
      }
      add_to_rows(rows, dim, sum.data());
      EXPECT_LE(tables.error(), 1e-4);
    }
    float out[16];
    sum_rows({}, 10, 1, out);
    EXPECT_EQ(out[9], 0);
  });
}

}  // namespace
}  // namespace sesame
