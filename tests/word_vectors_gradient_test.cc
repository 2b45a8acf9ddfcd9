// The steps of word vectors are gradients written by hand. Here the loss of a block is built of the engine's ops in
// double precision and differentiated by its pass, and the reference step has to move every row along that gradient.
// The kernels are held against the reference step in their own folder.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "sesame/backend/ref/interpreter.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/vjp.h"
#include "sesame/word_vectors/train/block_step_reference.h"
#include "sesame/word_vectors/train/random_block.h"

namespace sesame {
namespace {

constexpr int64_t kRows = 12;  // of each table: so few that most rows of a block are there several times
constexpr int64_t kDim = 7;

struct GradientCase {
  std::string name;
  Architecture architecture;
  RandomBlockShape shape;
  CbowGradient cbow_gradient = CbowGradient::mean;
};

void PrintTo(const GradientCase& gradient_case, std::ostream* out) { *out << gradient_case.name; }

/// Two tables one behind the other: input rows, then output rows.
std::vector<double> random_tables(std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<double> tables(2 * kRows * kDim);
  for (double& x : tables) x = uniform(random);
  return tables;
}

/// A dense matrix of a test, as a graph takes it.
struct Matrix {
  Matrix(int64_t row_count, int64_t column_count)
      : rows(row_count), columns(column_count), values(static_cast<size_t>(row_count * column_count)) {}
  double& at(int64_t r, int64_t c) { return values[static_cast<size_t>(r * columns + c)]; }

  int64_t rows, columns;
  std::vector<double> values;
};

/// The loss of a block as a graph over both tables, and its gradients.
class LossGraph {
 public:
  LossGraph(const GradientCase& of, const RandomBlock& block, const std::vector<double>& tables)
      : of_(of), block_(block), tables_(tables) {
    const Value input_table = leaf("input table", kRows, std::vector(tables.begin(), tables.begin() + kRows * kDim));
    const Value output_table = leaf("output table", kRows, std::vector(tables.begin() + kRows * kDim, tables.end()));
    const Value h = hidden(embedding(input_table, ids("inputs", block.inputs)));   // [h, dim]
    const Value targets = embedding(output_table, ids("targets", block.targets));  // [targets, dim]
    Value loss = pair_loss(matmul(h, targets, {.transpose_b = true}));
    if (!block.negatives.empty()) {
      const Value negatives = embedding(output_table, ids("negatives", block.negatives));
      Matrix weights(h.shape()[0], negatives.shape()[0]);
      std::ranges::copy(block.weights, weights.values.begin());
      loss = loss + weighted_sum("weights", weights, softplus(matmul(h, negatives, {.transpose_b = true})));
    }
    graph_.output("loss", loss.ref());
    const std::vector<Value> grads = gradients(builder_, loss, std::vector{input_table, output_table});
    graph_.output("input gradient", grads[0].ref());
    graph_.output("output gradient", grads[1].ref());
  }

  struct Result {
    double loss;
    std::vector<double> gradient;  // of both tables
  };
  Result run() {
    ThreadPool threads(1);
    Interpreter interpreter(graph_, ref_backend(), threads);
    for (const auto& [name, values] : doubles_) std::ranges::copy(values, interpreter.leaf(name).as<double>());
    for (const auto& [name, values] : ids_) std::ranges::copy(values, interpreter.leaf(name).as<int32_t>());
    interpreter.run({.seed = 1, .step = 1});
    Result result{*interpreter.output("loss").as<double>(), {}};
    for (const char* name : {"input gradient", "output gradient"}) {
      const double* values = interpreter.output(name).as<double>();
      result.gradient.insert(result.gradient.end(), values, values + kRows * kDim);
    }
    return result;
  }

 private:
  Value leaf(const std::string& name, int64_t rows, std::vector<double> values) {
    const Shape shape{rows, static_cast<int64_t>(values.size()) / rows};
    doubles_.emplace_back(name, std::move(values));
    return builder_.input(name, {DType::f64, shape});
  }

  Value ids(const std::string& name, const std::vector<int32_t>& values) {
    ids_.emplace_back(name, values);
    return builder_.input(name, {DType::i32, {static_cast<int64_t>(values.size())}});
  }

  static Value softplus(Value x) { return log(offset(exp(x), 1)); }

  Value weighted_sum(const std::string& name, const Matrix& weights, Value x) {
    return reshape(reduce_sum(x * leaf(name, weights.rows, weights.values)), Shape{});
  }

  /// Skip-gram: the inputs themselves. CBOW: their means by window. The full gradient is no derivative of that mean: it
  /// is the one of the sum, held at the mean's value by a constant.
  Value hidden(Value inputs) {
    if (of_.architecture == Architecture::skipgram) return inputs;
    const auto centres = static_cast<int64_t>(block_.windows.size());
    const auto words = static_cast<int64_t>(block_.inputs.size());
    Matrix means(centres, words), sums(centres, words);
    for (int64_t c = 0; c < centres; ++c) {
      const ContextWindow& window = block_.windows[static_cast<size_t>(c)];
      double count = 0;
      for (int32_t i = window.first; i < window.last; ++i) {
        if (i == window.self) continue;
        sums.at(c, i) = 1;
        count += block_.counts.empty() ? 1.0 : static_cast<double>(block_.counts[static_cast<size_t>(i)]);
      }
      for (int32_t i = 0; i < words; ++i) means.at(c, i) = sums.at(c, i) / count;
    }
    if (of_.cbow_gradient == CbowGradient::mean) return matmul(leaf("means", centres, means.values), inputs);
    Matrix constant(centres, kDim);
    for (int64_t c = 0; c < centres; ++c) {
      for (int64_t i = 0; i < words; ++i) {
        const double* row = &tables_[static_cast<size_t>(block_.inputs[static_cast<size_t>(i)] * kDim)];
        for (int64_t d = 0; d < kDim; ++d) constant.at(c, d) += (means.at(c, i) - sums.at(c, i)) * row[d];
      }
    }
    return matmul(leaf("sums", centres, sums.values), inputs) + leaf("constant", centres, constant.values);
  }

  /// scores [h, targets], of which only the pairs count.
  Value pair_loss(Value scores) {
    Matrix is_pair(scores.shape()[0], scores.shape()[1]), sign(is_pair);
    for (int64_t t = 0; t < sign.columns; ++t) {
      const int32_t c = block_.target_centres[static_cast<size_t>(t)];
      const ContextWindow& window = block_.windows[static_cast<size_t>(c)];
      for (int32_t i = 0; i < sign.rows; ++i) {
        const bool in_window = i >= window.first && i < window.last && i != window.self;
        is_pair.at(i, t) = of_.architecture == Architecture::skipgram ? in_window : i == c;
        sign.at(i, t) = block_.labels[static_cast<size_t>(t)] == 1 ? -1 : 1;
      }
    }
    return weighted_sum("pairs", is_pair, softplus(scores * leaf("sign", sign.rows, sign.values)));
  }

  const GradientCase& of_;
  const RandomBlock& block_;
  const std::vector<double>& tables_;
  Graph graph_;
  Builder builder_{graph_};
  std::vector<std::pair<std::string, std::vector<double>>> doubles_;
  std::vector<std::pair<std::string, std::vector<int32_t>>> ids_;
};

class WordVectorGradientTest : public testing::TestWithParam<GradientCase> {
 protected:
  RandomBlock draw() {
    const auto row = [](std::mt19937_64& random) { return static_cast<int32_t>(random() % kRows); };
    return {GetParam().shape, random_, row, row};
  }

  std::mt19937_64 random_{7};
};

TEST_P(WordVectorGradientTest, StepGoesAlongTheEngineGradient) {
  for (int trial = 0; trial < 3; ++trial) {
    const RandomBlock drawn = draw();
    const std::vector<double> before = random_tables(random_);
    const LossGraph::Result expected = LossGraph(GetParam(), drawn, before).run();

    std::vector<double> after = before;
    const PlacedBlock<double> placed(drawn, after.data(), after.data() + kRows * kDim, kDim);
    const bool skipgram = GetParam().architecture == Architecture::skipgram;
    const BlockLoss loss =
        skipgram ? reference::loss_of_skipgram(placed.block(), kDim) : reference::loss_of_cbow(placed.block(), kDim);
    EXPECT_NEAR(loss.loss, expected.loss, 1e-12 * expected.loss);

    // So small a rate that later parts of the step see the rows as the earlier ones did, but for 1e-8.
    constexpr double kRate = 1e-8;
    if (skipgram) {
      reference::step_skipgram(placed.block(), kDim, kRate);
    } else {
      reference::step_cbow(placed.block(), kDim, kRate, GetParam().cbow_gradient);
    }
    const double largest =
        std::abs(*std::ranges::max_element(expected.gradient, {}, [](double g) { return std::abs(g); }));
    for (size_t i = 0; i < after.size(); ++i) {
      ASSERT_NEAR((before[i] - after[i]) / kRate, expected.gradient[i], 1e-6 * largest)
          << (i < kRows * kDim ? "input" : "output") << " table, element " << i;
    }
  }
}

std::vector<GradientCase> gradient_cases() {
  const RandomBlockShape negative_sampling{.centres = 6, .window = 3, .negatives = 20};
  const RandomBlockShape tree{.centres = 4, .window = 3, .negatives = 0, .targets_per_centre = 5};
  std::vector<GradientCase> cases{{"skipgram_ns", Architecture::skipgram, negative_sampling},
                                  {"skipgram_hs", Architecture::skipgram, tree}};
  for (const CbowGradient gradient : {CbowGradient::mean, CbowGradient::full}) {
    const std::string suffix = gradient == CbowGradient::mean ? "mean" : "full";
    RandomBlockShape shape = negative_sampling;
    shape.weights_by_centre = true;
    cases.push_back({"cbow_ns_" + suffix, Architecture::cbow, shape, gradient});
    shape.counts = true;
    cases.push_back({"cbow_ns_ngrams_" + suffix, Architecture::cbow, shape, gradient});
    cases.push_back({"cbow_hs_" + suffix, Architecture::cbow, tree, gradient});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(All, WordVectorGradientTest, testing::ValuesIn(gradient_cases()),
                         [](const auto& of) { return of.param.name; });

}  // namespace
}  // namespace sesame
