#include "sesame/infer/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Shares of the tokens over a fine grid of draws: what the sampler's distribution is.
std::map<int32_t, double> distribution(const std::vector<float>& logits, SamplingOptions options,
                                       const std::vector<int32_t>& context = {}) {
  Sampler sampler(options);
  std::map<int32_t, double> shares;
  constexpr int kDraws = 20000;
  for (int i = 0; i < kDraws; ++i) {
    std::vector<float> copy = logits;
    shares[sampler.sample(copy, context, (i + 0.5) / kDraws)] += 1.0 / kDraws;
  }
  return shares;
}

std::set<int32_t> kept(const std::vector<float>& logits, SamplingOptions options) {
  std::set<int32_t> ids;
  for (const auto& [id, share] : distribution(logits, options)) ids.insert(id);
  return ids;
}

// Probabilities 0.4, 0.3, 0.2, 0.1 in another order.
const std::vector<float> kLogits = {std::log(0.2f), std::log(0.4f), std::log(0.1f), std::log(0.3f)};

TEST(Sampler, DrawsBySoftmax) {
  const auto shares = distribution(kLogits, {});
  EXPECT_NEAR(shares.at(0), 0.2, 1e-3);
  EXPECT_NEAR(shares.at(1), 0.4, 1e-3);
  EXPECT_NEAR(shares.at(2), 0.1, 1e-3);
  EXPECT_NEAR(shares.at(3), 0.3, 1e-3);
}

TEST(Sampler, TemperatureSharpensAndZeroTakesTheFirstOfTheLargest) {
  const auto shares = distribution(kLogits, {.temperature = 0.5});
  EXPECT_NEAR(shares.at(1), 0.16 / 0.30, 1e-3);
  EXPECT_NEAR(shares.at(2), 0.01 / 0.30, 1e-3);
  Sampler greedy({.temperature = 0});
  std::vector<float> logits = {1, 3, 2, 3};
  EXPECT_EQ(greedy.sample(logits, {}, 0.99), 1);
}

TEST(Sampler, TopKKeepsTheKLargestAndTheirEquals) {
  EXPECT_EQ(kept(kLogits, {.top_k = 2}), (std::set<int32_t>{1, 3}));
  EXPECT_EQ(kept({1, 1, 0, 1}, {.top_k = 2}), (std::set<int32_t>{0, 1, 3}));
  EXPECT_EQ(kept(kLogits, {.top_k = 100}).size(), 4u);
  const auto shares = distribution(kLogits, {.top_k = 2});
  EXPECT_NEAR(shares.at(1), 0.4 / 0.7, 1e-3);
}

TEST(Sampler, TopPKeepsTheFewestThatReachP) {
  EXPECT_EQ(kept(kLogits, {.top_p = 0.35}), (std::set<int32_t>{1}));
  EXPECT_EQ(kept(kLogits, {.top_p = 0.6}), (std::set<int32_t>{1, 3}));
  EXPECT_EQ(kept(kLogits, {.top_p = 0.75}), (std::set<int32_t>{0, 1, 3}));
  EXPECT_EQ(kept(kLogits, {.top_p = 1e-9}), (std::set<int32_t>{1}));
}

TEST(Sampler, MinPIsRelativeToTheLargest) {
  EXPECT_EQ(kept(kLogits, {.min_p = 0.6}), (std::set<int32_t>{1, 3}));
  EXPECT_EQ(kept(kLogits, {.min_p = 0.3}), (std::set<int32_t>{0, 1, 3}));
  EXPECT_EQ(kept(kLogits, {.min_p = 1}), (std::set<int32_t>{1}));
}

TEST(Sampler, StepsFollowTemperature) {
  // At temperature 0.5 the probabilities are 0.533, 0.3, 0.133, 0.033: two now reach 0.8, where three were needed.
  EXPECT_EQ(kept(kLogits, {.temperature = 0.5, .top_p = 0.8}), (std::set<int32_t>{1, 3}));
  EXPECT_EQ(kept(kLogits, {.temperature = 1.0, .top_p = 0.8}), (std::set<int32_t>{0, 1, 3}));
}

TEST(Sampler, RepetitionPenaltyActsOncePerTokenAndOnTheSignOfTheLogit) {
  Sampler greedy({.temperature = 0, .repetition_penalty = 2});
  std::vector<float> logits = {3, 2, -1, -4};
  EXPECT_EQ(greedy.sample(logits, std::vector<int32_t>{0, 0, 2}, 0), 1);
  EXPECT_EQ(logits, (std::vector<float>{1.5, 2, -2, -4}));
}

TEST(Sampler, NeverDrawsWhatIsMaskedOut) {
  const std::vector<float> logits = {-kInfinity, 0, -kInfinity, 0};
  EXPECT_EQ(kept(logits, {}), (std::set<int32_t>{1, 3}));
  Sampler sampler({});
  std::vector<float> copy = logits;
  EXPECT_EQ(sampler.sample(copy, {}, 0.0), 1);
  EXPECT_EQ(sampler.sample(copy, {}, std::nextafter(1.0, 0.0)), 3);
}

TEST(Sampler, RefusesLogitsThatAreNotNumbers) {
  Sampler sampler({});
  std::vector<float> logits = {0, std::nanf(""), 1};
  EXPECT_THROW(sampler.sample(logits, {}, 0.5), Error);
}

TEST(SamplingOptions, OutOfRangeAreRefusedByName) {
  const auto refusal = [](SamplingOptions options) -> std::string {
    try {
      check(options);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::usage);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal({}), "accepted");
  EXPECT_EQ(refusal({.temperature = -1}), "temperature = -1: expected a number from 0 up");
  EXPECT_EQ(refusal({.temperature = std::nan("")}), "temperature = nan: expected a number from 0 up");
  EXPECT_EQ(refusal({.top_k = -5}), "top-k = -5: expected a whole number from 0 (off) up");
  EXPECT_EQ(refusal({.top_p = 0}), "top-p = 0: expected a number in (0, 1]");
  EXPECT_EQ(refusal({.min_p = 1.5}), "min-p = 1.5: expected a number in [0, 1]");
  EXPECT_EQ(refusal({.repetition_penalty = 0}), "repetition-penalty = 0: expected a positive number (1 is off)");
}

}  // namespace
}  // namespace sesame
