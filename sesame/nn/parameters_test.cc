#include "sesame/nn/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sesame/base/error.h"

namespace sesame {
namespace {

using testing::HasSubstr;

std::vector<float> initial(const Parameter& parameter, uint64_t seed, ThreadPool* threads = nullptr) {
  std::vector<float> values(static_cast<size_t>(parameter.shape.elements()), -1.0f);
  initialise(parameter, seed, values, threads);
  return values;
}

TEST(Parameters, AreNamedByScopeAndListedInOrderOfFirstUse) {
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  Value first;
  {
    const Builder::Scope scope(builder, "h.0");
    first = parameters.get(builder, "weight", {3, 4}, Init::normal(0.02));
    parameters.get(builder, "bias", {4}, Init::zeros());
  }
  parameters.get(builder, "top", {2}, Init::ones());
  const Builder::Scope scope(builder, "h.0");
  EXPECT_EQ(parameters.get(builder, "weight", {3, 4}, Init::normal(0.02)).ref(), first.ref());
  ASSERT_EQ(parameters.list().size(), 3u);
  EXPECT_EQ(parameters.list()[0].name, "h.0.weight");
  EXPECT_TRUE(parameters.list()[0].decay);
  EXPECT_EQ(parameters.list()[1].name, "h.0.bias");
  EXPECT_FALSE(parameters.list()[1].decay);
  EXPECT_EQ(parameters.list()[2].name, "top");
  EXPECT_EQ(parameters.count(), 12 + 4 + 2);
}

TEST(Parameters, RefuseAnotherShapeUnderTheSameName) {
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  parameters.get(builder, "weight", {3, 4}, Init::zeros());
  try {
    parameters.get(builder, "weight", {4, 3}, Init::zeros());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"weight\" is asked for with shape [4, 3] but was made with [3, 4]"));
  }
}

TEST(Initialise, NormalValuesHaveMeanZeroTheGivenDeviationAndNormalTails) {
  const std::vector<float> values = initial({"w", {400, 500}, Init::normal(0.02), true}, 7);
  double sum = 0, squares = 0, within_one = 0;
  for (const float v : values) {
    sum += v;
    squares += double{v} * v;
    within_one += std::abs(v) < 0.02f;
  }
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0.0, 5 * 0.02 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(squares / n), 0.02, 0.02 * 5 / std::sqrt(2 * n));
  EXPECT_NEAR(within_one / n, 0.682689, 5 * std::sqrt(0.2166 / n));
}

TEST(Initialise, DependsOnNameAndSeedButNotOnThreads) {
  const Parameter parameter{"w", {300, 701}, Init::normal(1), true};
  const std::vector<float> values = initial(parameter, 1);
  ThreadPool two(2);
  EXPECT_EQ(initial(parameter, 1, &two), values);
  EXPECT_NE(initial(parameter, 2), values);
  Parameter other = parameter;
  other.name = "v";
  EXPECT_NE(initial(other, 1), values);
}

// The values are from an independent implementation of Philox4x32-10, XXH3 and the transform (Python, xxhash 3).
TEST(Initialise, ValuesAreThoseOfThePublishedAlgorithms) {
  const std::vector<float> values = initial({"transformer.wte.weight", {5}, Init::normal(1), false}, 42);
  const std::vector<float> expected = {-0.83947103f, -2.12042402f, -0.09156132f, -0.08387564f, -1.12203701f};
  for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(values[i], expected[i], 1e-6) << i;
}

TEST(Initialise, OnesAndZeros) {
  EXPECT_EQ(initial({"g", {3}, Init::ones(), false}, 1), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(initial({"b", {3}, Init::zeros(), false}, 1), (std::vector<float>{0, 0, 0}));
}

TEST(Initialise, RefusesRoomOfAnotherSize) {
  std::vector<float> values(3);
  EXPECT_THROW(initialise({"b", {4}, Init::zeros(), false}, 1, values), Error);
}

}  // namespace
}  // namespace sesame
