#include "sesame/word_vectors/explore/analogy_questions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

TEST(AnalogyQuestions, SectionsCommentsAndBlankLines) {
  const AnalogyQuestions q = parse_analogy_questions(
      "\xEF\xBB\xBF//Copyright\n: first one\r\n\na b c d\r\n  e\tf  g h \n:second\n: third\ni j k l\n: first one\nm n "
      "o p",
      "q.txt");
  ASSERT_EQ(q.sections.size(), 3U);
  EXPECT_EQ(q.sections[0].name, "first one");
  ASSERT_EQ(q.sections[0].questions.size(), 3U);  // its name comes twice
  EXPECT_EQ(q.sections[0].questions[1], (std::array<std::string, 4>{"e", "f", "g", "h"}));
  EXPECT_TRUE(q.sections[1].questions.empty());
  EXPECT_EQ(q.sections[2].questions[0][3], "l");
  EXPECT_EQ(q.sections[0].questions[2][0], "m");
  EXPECT_EQ(q.size(), 4);
}

TEST(AnalogyQuestions, RefusesOtherLinesByNumber) {
  EXPECT_THAT(error_of([] { parse_analogy_questions(": s\na b c d\na b c\n", "q.txt"); }),
              HasSubstr("q.txt:3: 3 words"));
  EXPECT_THAT(error_of([] { parse_analogy_questions("a b c d e", "q.txt"); }), HasSubstr("q.txt:1: 5 words"));
  EXPECT_THAT(error_of([] { parse_analogy_questions(": s\n", "q.txt"); }), HasSubstr("no question"));
  EXPECT_THAT(error_of([] { parse_analogy_questions("", "q.txt"); }), HasSubstr("no question"));
}

/// Words in the plane: "b" - "a" leads from each lower-case word to its answer.
class EvaluateAnalogies : public ::testing::Test {
 protected:
  static WordVectors vectors() {
    WordVectors made = made_vectors({"man", "woman", "king", "queen", "KING", "Queen", "apple", "far"}, 3);
    const float rows[8][3] = {{1, 0, 0}, {1, 1, 0},    {1, 0, 5},   {1, 1, 5},
                              {1, 0, 5}, {1, 1.1F, 5}, {-5, -5, 1}, {-1, -1, -1}};
    for (int64_t i = 0; i < 8; ++i) std::copy_n(rows[i], 3, made.vectors.row(i));
    return made;
  }
  static AnalogyResult evaluate(const char* text, int64_t restrict_words, const AnalogyOptions& options = {}) {
    ThreadPool threads(2);
    const WordVectors made = vectors();
    const VectorSearch search(made, threads, restrict_words);
    return evaluate_analogies(made.vocabulary, search, parse_analogy_questions(text, "q"), options);
  }
};

TEST_F(EvaluateAnalogies, CountsBySection) {
  const AnalogyResult r = evaluate(
      ": family\nman woman king queen\nman woman king apple\nman woman king pear\n: gram1\n"
      "king queen man woman\n: gram2-x\npear pear man man\n",
      4 + 3);
  ASSERT_EQ(r.sections.size(), 3U);
  EXPECT_EQ(r.sections[0].name, "family");
  EXPECT_EQ(r.sections[0].score.correct, 1);
  EXPECT_EQ(r.sections[0].score.asked, 2);
  EXPECT_EQ(r.sections[0].score.skipped, 1);
  EXPECT_DOUBLE_EQ(r.sections[0].score.accuracy(), 0.5);
  EXPECT_DOUBLE_EQ(r.sections[0].score.coverage(), 2.0 / 3);
  EXPECT_TRUE(std::isnan(r.sections[2].score.accuracy()));
  EXPECT_TRUE(r.has_kinds);
  EXPECT_EQ(r.semantic.asked, 2);
  EXPECT_EQ(r.syntactic.asked, 1);
  EXPECT_EQ(r.syntactic.correct, 1);
  EXPECT_EQ(r.syntactic.skipped, 1);
  EXPECT_EQ(r.total.asked, 3);
  EXPECT_EQ(r.total.correct, 2);
  EXPECT_EQ(r.total.skipped, 2);
}

TEST_F(EvaluateAnalogies, CaseIsFoldedAndTheFirstWordCounts) {
  // Of all eight words the best answer is "Queen" or "queen": the same word where case is folded.
  for (const char* question : {": s\nMan WOMAN king QUEEN", ": s\nman woman King queen"}) {
    const AnalogyResult folded = evaluate(question, 8);
    EXPECT_EQ(folded.total.correct, 1) << question;
    EXPECT_EQ(folded.total.asked, 1);
  }
  EXPECT_EQ(evaluate(": s\nMan woman king queen", 8, {.fold_case = false}).total.skipped, 1);
  EXPECT_EQ(evaluate(": s\nman woman king queen", 8, {.fold_case = false}).total.asked, 1);
}

TEST_F(EvaluateAnalogies, OfWordsThatDifferInCaseTheFirstIsMeant) {
  WordVectors made = vectors();
  for (int64_t d = 0; d < 3; ++d) made.vectors.row(4)[d] = d == 0 ? -1.0F : 0.0F;  // "KING"
  ThreadPool threads(1);
  const AnalogyResult r = evaluate_analogies(made.vocabulary, VectorSearch(made, threads),
                                             parse_analogy_questions(": s\nman woman King queen", "q"));
  EXPECT_EQ(r.total.correct, 1);
}

TEST_F(EvaluateAnalogies, WordsBeyondTheFirstAreUnknown) {
  EXPECT_EQ(evaluate(": s\nman woman king queen", 3).total.skipped, 1);
  EXPECT_EQ(evaluate(": s\nman woman king queen", 4).total.correct, 1);
  EXPECT_FALSE(evaluate(": s\nman woman king queen", 4).has_kinds);
}

TEST_F(EvaluateAnalogies, BothRules) {
  EXPECT_EQ(evaluate(": s\nman woman king queen", 4, {.rule = AnalogyRule::multiply}).total.correct, 1);
}

TEST(AnalogyQuestions, TheGoogleSet) {
  const auto path = shared_data("wordvec-eval/questions-words.txt");
  if (!path) GTEST_SKIP() << "no shared data";
  const AnalogyQuestions q = parse_analogy_questions(read_file(*path), path->string());
  EXPECT_EQ(q.sections.size(), 14U);
  EXPECT_EQ(q.size(), 19544);
  std::set<std::string> words;
  for (const auto& section : q.sections) {
    for (const auto& question : section.questions) words.insert(question.begin(), question.end());
  }
  ThreadPool threads(2);
  const WordVectors vectors = made_vectors({words.begin(), words.end()}, 10);
  const AnalogyResult r = evaluate_analogies(vectors.vocabulary, VectorSearch(vectors, threads), q);
  EXPECT_EQ(r.semantic.asked, 8869);
  EXPECT_EQ(r.syntactic.asked, 10675);
  EXPECT_EQ(r.total.skipped, 0);
  EXPECT_DOUBLE_EQ(r.total.coverage(), 1);
}

TEST(AnalogyQuestions, TheChineseSet) {
  for (const auto& [file, count] :
       {std::pair{"wordvec-eval/CA8/semantic.txt", 7636}, {"wordvec-eval/CA8/morphological.txt", 10177}}) {
    const auto path = shared_data(file);
    if (!path) GTEST_SKIP() << "no shared data";
    const AnalogyQuestions q = parse_analogy_questions(read_file(*path), path->string());
    EXPECT_EQ(q.sections.size(), 4U);
    EXPECT_EQ(q.size(), count) << file;
  }
}

}  // namespace
}  // namespace sesame
