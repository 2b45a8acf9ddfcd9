#include "sesame/word_vectors/explore/analogy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sesame/base/error_of.h"
#include "sesame/simd/each_instruction_set.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

/// The score of every word, in double precision, from the unit rows that the search has.
class NaiveAnalogy {
 public:
  NaiveAnalogy(const VectorSearch& search, AnalogyRule rule) : search_(search), rule_(rule) {}

  [[nodiscard]] double score(const AnalogyIds& q, int32_t id) const {
    const double a = dot(q.a, id), b = dot(q.b, id), c = dot(q.c, id);
    if (rule_ == AnalogyRule::add) return b - a + c;
    return (1 + b) / 2 * ((1 + c) / 2) / ((1 + a) / 2 + 1e-6);
  }
  /// The best score of all words but those of the question.
  [[nodiscard]] double best(const AnalogyIds& q) const {
    double most = -10;
    for (int32_t id = 0; id < search_.size(); ++id) {
      if (id != q.a && id != q.b && id != q.c) most = std::max(most, score(q, id));
    }
    return most;
  }

 private:
  [[nodiscard]] double dot(int32_t x, int32_t y) const {
    double sum = 0;
    for (size_t d = 0; d < static_cast<size_t>(search_.dim()); ++d) {
      sum += double{search_.unit(x)[d]} * double{search_.unit(y)[d]};
    }
    return sum;
  }

  const VectorSearch& search_;
  AnalogyRule rule_;
};

std::vector<AnalogyIds> some_questions(int32_t words, int64_t count) {
  const Philox random(7, 7);
  std::vector<AnalogyIds> questions;
  for (int64_t i = 0; i < count; ++i) {
    const auto draw = random.block(static_cast<uint64_t>(i), 0);
    const auto id = [&](size_t k) { return static_cast<int32_t>(draw[k] % static_cast<uint32_t>(words)); };
    questions.push_back({id(0), id(1), id(2)});
  }
  return questions;
}

class AnalogyRules : public ::testing::TestWithParam<AnalogyRule> {};
INSTANTIATE_TEST_SUITE_P(Both, AnalogyRules, ::testing::Values(AnalogyRule::add, AnalogyRule::multiply),
                         [](const auto& rule) { return std::string(name_of(rule.param)); });

TEST_P(AnalogyRules, ManyQuestionsAreAnsweredAsInDoublePrecision) {
  for (const int words : {5, 31, 700}) {
    const WordVectors vectors = made_vectors(numbered_words(words), 20);
    const std::vector<AnalogyIds> questions = some_questions(words, 200);
    for (const int count : {1, 2}) {
      ThreadPool threads(count);
      const VectorSearch search(vectors, threads);
      const NaiveAnalogy naive(search, GetParam());
      for_each_instruction_set([&](const char* name) {
        const std::vector<int32_t> answers = solve_analogies(search, questions, GetParam());
        ASSERT_EQ(answers.size(), questions.size());
        for (size_t q = 0; q < questions.size(); ++q) {
          const double best = naive.best(questions[q]);
          if (answers[q] < 0) {
            ASSERT_LT(best, 1e-6) << name;
            continue;
          }
          ASSERT_NE(answers[q], questions[q].a);
          ASSERT_NE(answers[q], questions[q].b);
          ASSERT_NE(answers[q], questions[q].c);
          ASSERT_NEAR(naive.score(questions[q], answers[q]), best, 2e-6 * std::max(1.0, best))
              << name << " words " << words << " question " << q;
        }
      });
    }
  }
}

TEST_P(AnalogyRules, TiesGoToTheSmallerIdOnAnyNumberOfThreads) {
  WordVectors vectors = made_vectors(numbered_words(3000), 12);
  for (int64_t i = 1500; i < 3000; ++i) copy_row(vectors, i - 1500, i);
  const std::vector<AnalogyIds> questions = some_questions(3000, 300);
  ThreadPool one(1), two(2);
  const std::vector<int32_t> answers = solve_analogies(VectorSearch(vectors, one), questions, GetParam());
  EXPECT_EQ(solve_analogies(VectorSearch(vectors, two), questions, GetParam()), answers);
  for (size_t q = 0; q < questions.size(); ++q) {
    // The upper twin of a word can only win where the lower one is excluded.
    if (answers[q] < 1500) continue;
    const int32_t twin = answers[q] - 1500;
    EXPECT_TRUE(twin == questions[q].a || twin == questions[q].b || twin == questions[q].c) << answers[q];
  }
}

TEST_P(AnalogyRules, OneQuestionIsAnsweredAsAmongMany) {
  ThreadPool threads(2);
  const WordVectors vectors = made_vectors(numbered_words(500), 16);
  const VectorSearch search(vectors, threads);
  const std::vector<AnalogyIds> questions = some_questions(500, 30);
  const std::vector<int32_t> answers = solve_analogies(search, questions, GetParam());
  for (size_t q = 0; q < questions.size(); ++q) {
    const auto [a, b, c] = questions[q];
    const auto vector = [&](int32_t id) { return std::vector<float>(vectors.row(id).begin(), vectors.row(id).end()); };
    const AnalogyTerms terms{{vector(b), vector(c)}, {vector(a)}, {a, b, c}};
    const std::vector<Neighbor> found = solve_analogy(search, terms, GetParam(), 3);
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].id, answers[q]);
    EXPECT_GE(found[0].score, found[1].score);
  }
}

TEST(Analogy, MultiplicationScoresAreLevyAndGoldbergs) {
  ThreadPool threads(1);
  WordVectors vectors = made_vectors({"a", "b", "c", "d"}, 2);
  const float rows[4][2] = {{1, 0}, {0, 2}, {3, 3}, {-1, 1}};
  for (int64_t i = 0; i < 4; ++i) std::copy_n(rows[i], 2, vectors.vectors.row(i));
  const VectorSearch search(vectors, threads);
  const AnalogyTerms terms{{{0, 2}, {3, 3}}, {{1, 0}}, {0, 1, 2}};
  const std::vector<Neighbor> found = solve_analogy(search, terms, AnalogyRule::multiply, 9);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, 3);
  const double half_root = std::sqrt(0.5);
  EXPECT_NEAR(found[0].score, (1 + half_root) / 2 * 0.5 / ((1 - half_root) / 2 + 1e-6), 1e-5);
}

TEST(Analogy, NoAnswerWhereNoScoreExceedsZero) {
  ThreadPool threads(1);
  WordVectors vectors = made_vectors({"a", "b", "c", "d"}, 1);
  const float rows[4] = {-1, 1, 1, -1};
  for (int64_t i = 0; i < 4; ++i) vectors.vectors.row(i)[0] = rows[i];
  const VectorSearch search(vectors, threads);
  const std::vector<AnalogyIds> question = {{0, 1, 2}};
  EXPECT_EQ(solve_analogies(search, question, AnalogyRule::add), std::vector<int32_t>{-1});
}

TEST(Analogy, RefusesWhatHasNoAnswer) {
  ThreadPool threads(1);
  const WordVectors vectors = made_vectors(numbered_words(5), 3);
  const VectorSearch search(vectors, threads);
  const auto solve = [&](AnalogyTerms terms, AnalogyRule rule) {
    return error_of([&] { (void)solve_analogy(search, terms, rule, 1); });
  };
  EXPECT_THAT(solve({}, AnalogyRule::add), HasSubstr("no word to start from"));
  EXPECT_THAT(solve({{{1, 2, 3}}, {{1, 2, 3}}, {}}, AnalogyRule::add), HasSubstr("cancel each other out"));
  EXPECT_THAT(solve({{{1, 2}}, {}, {}}, AnalogyRule::multiply), HasSubstr("2 numbers among vectors of 3"));
  const std::vector<AnalogyIds> beyond = {{0, 1, 5}};
  EXPECT_THAT(error_of([&] { (void)solve_analogies(search, beyond, AnalogyRule::add); }), HasSubstr("5 is no id of 5"));
  EXPECT_THAT(error_of([] { parse_analogy_rule("plus"); }), HasSubstr("add (3CosAdd) and mul (3CosMul)"));
}

}  // namespace
}  // namespace sesame
