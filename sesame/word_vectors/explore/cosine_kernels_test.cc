#include "sesame/word_vectors/explore/cosine_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sesame/base/philox.h"
#include "sesame/simd/each_instruction_set.h"

namespace sesame {
namespace {

/// Four words' cosines with 32 columns, among them the extremes.
std::vector<float> some_cosines() {
  const Philox random(5, 5);
  std::vector<float> cosines(4 * 32);
  for (size_t i = 0; i < cosines.size(); ++i) cosines[i] = 2 * Philox::uniform(random.word(i, 0)) - 1;
  for (const size_t row : {0, 1, 2}) {
    cosines[row * 32 + 3] = -1;
    cosines[row * 32 + 4] = 1;
  }
  cosines[5] = -1;  // far from a, and from nothing else
  return cosines;
}

TEST(CosineKernels, ScoresAreTheFormulas) {
  const std::vector<float> cosines = some_cosines();
  std::vector<float> shifted = cosines;
  for_each_instruction_set([&](const char* name) {
    shifted = cosines;
    shift_cosines(shifted);
    std::vector<float> add(32), multiply(32);
    analogy_scores({cosines.data(), 32}, AnalogyRule::add, {0, 1, 2}, add.data());
    analogy_scores({shifted.data(), 32}, AnalogyRule::multiply, {0, 1, 2}, multiply.data());
    for (size_t i = 0; i < 32; ++i) {
      const double a = cosines[i], b = cosines[32 + i], c = cosines[64 + i];
      const double product = (1 + b) / 2 * ((1 + c) / 2) / ((1 + a) / 2 + 1e-6);
      ASSERT_NEAR(add[i], b - a + c, 1e-6) << name;
      ASSERT_NEAR(multiply[i], product, 1e-5 * product + 1e-7) << name << " column " << i;
    }
  });
}

TEST(CosineKernels, QuestionsReachTheirBest) {
  const std::vector<float> cosines = some_cosines();
  const CosineTile tile{cosines.data(), 32};
  const std::vector<AnalogyRows> questions = {{0, 1, 2}, {1, 2, 3}, {3, 3, 3}, {2, 0, 1}};
  for_each_instruction_set([&](const char* name) {
    for (const AnalogyRule rule : {AnalogyRule::add, AnalogyRule::multiply}) {
      std::vector<float> most;
      for (const AnalogyRows& q : questions) {
        std::vector<float> scores(32);
        analogy_scores(tile, rule, q, scores.data());
        most.push_back(*std::max_element(scores.begin(), scores.end()));
      }
      most[1] += 0.001F * std::abs(most[1]);  // out of reach; the others are reached, if only just
      std::vector<int32_t> reaching(4);
      ASSERT_EQ(questions_reaching(tile, rule, questions, most.data(), reaching.data()), 3) << name;
      reaching.resize(3);
      ASSERT_EQ(reaching, (std::vector<int32_t>{0, 2, 3}));
    }
  });
}

}  // namespace
}  // namespace sesame
