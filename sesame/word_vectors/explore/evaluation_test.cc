#include "sesame/word_vectors/explore/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/base/test_data.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Evaluation, KindsByTheFirstLines) {
  using enum EvaluationKind;
  EXPECT_EQ(evaluation_kind(": s\na b c d\n"), analogies);
  EXPECT_EQ(evaluation_kind("//Copyright\n\n:s\n"), analogies);
  EXPECT_EQ(evaluation_kind("a b c d\ne f g h"), analogies);
  EXPECT_EQ(evaluation_kind("a\tb\t1"), similarity);
  EXPECT_EQ(evaluation_kind("word1 word2 POS score\na b N 1\nc d N 2"), similarity);
  EXPECT_EQ(evaluation_kind("# made in 2009\na,b,1\r\nc,d,2\r\n"), similarity);
  EXPECT_EQ(evaluation_kind("Once upon a time there was\na set of words\nthat had 3 readers"), neither);
  EXPECT_EQ(evaluation_kind(""), neither);
  EXPECT_EQ(evaluation_kind("\n\n# nothing\n"), neither);
}

TEST(Evaluation, AllSetsOfADirectoryAndFilesByName) {
  const TemporaryDirectory directory;
  const std::filesystem::path sets = directory.path() / "sets";
  std::filesystem::create_directories(sets / "more");
  write_file_atomically(sets / "questions.txt", ": s\nw0 w1 w2 w3\nw0 w1 w2 w99\n");
  write_file_atomically(sets / "pairs.txt", "w0 w1 1\nw1 w2 2\nw0 w99 3\n");
  write_file_atomically(sets / "more" / "pairs.txt", "w3\tw4\t1\nw1\tw4\t2\n");
  write_file_atomically(sets / "README", "Sets of ours.\n");
  ThreadPool threads(2);
  const WordVectors vectors = made_vectors(numbered_words(10), 5);
  const std::vector<std::string> paths = {sets.string(), (sets / "pairs.txt").string()};
  const Evaluation e = evaluate_word_vectors(vectors, paths, {}, threads);
  ASSERT_EQ(e.analogies.size(), 1U);
  EXPECT_EQ(e.analogies[0].file, "questions.txt");
  EXPECT_EQ(e.analogies[0].result.total.asked, 1);
  EXPECT_EQ(e.analogies[0].result.total.skipped, 1);
  std::vector<std::string> names;
  for (const auto& s : e.similarity) names.push_back(s.file);
  EXPECT_THAT(names, ElementsAre("more/pairs.txt", "pairs.txt", (sets / "pairs.txt").string()));
  EXPECT_EQ(e.similarity[1].result.covered, 2);
  EXPECT_THAT(e.left_out, ElementsAre("README"));

  EvaluationOptions few;
  few.restrict_words = 2;
  EXPECT_EQ(evaluate_word_vectors(vectors, paths, few, threads).analogies[0].result.total.asked, 0);

  const std::vector<std::string> readme = {(sets / "README").string()};
  EXPECT_THAT(error_of([&] { (void)evaluate_word_vectors(vectors, readme, {}, threads); }),
              HasSubstr("neither analogies"));
  const std::vector<std::string> missing = {(sets / "missing").string()};
  EXPECT_THAT(error_of([&] { (void)evaluate_word_vectors(vectors, missing, {}, threads); }), HasSubstr("missing"));
}

TEST(Evaluation, ThePublishedSetsAreWhatTheyAre) {
  const auto directory = shared_data("wordvec-eval");
  if (!directory) GTEST_SKIP() << "no shared data";
  ThreadPool threads(2);
  const WordVectors vectors = made_vectors({"king", "queen", "man", "woman"}, 5);
  const std::vector<std::string> paths = {directory->string()};
  const Evaluation e = evaluate_word_vectors(vectors, paths, {}, threads);
  std::vector<std::string> names;
  for (const auto& a : e.analogies) names.push_back(a.file);
  EXPECT_THAT(names,
              ElementsAre("CA8/morphological.txt", "CA8/semantic.txt", "questions-phrases.txt", "questions-words.txt"));
  EXPECT_EQ(e.analogies[3].result.semantic.asked, 2);  // both ways round
  EXPECT_EQ(e.similarity.size(), 8U);
  EXPECT_TRUE(e.left_out.empty());
}

}  // namespace
}  // namespace sesame
