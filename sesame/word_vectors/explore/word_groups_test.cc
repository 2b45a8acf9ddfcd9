#include "sesame/word_vectors/explore/word_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/error_of.h"

namespace sesame {
namespace {

TEST(WordGroups, WordsOfGroupsEachOnce) {
  const WordGroups g = parse_word_groups("zero\n: one\na b  c\r\n\n:two words\nd a\te\n: three", "w.txt");
  EXPECT_THAT(g.names, ::testing::ElementsAre("one", "two words", "three"));
  std::string all;
  for (const GroupedWord& w : g.words) all += w.word + std::to_string(w.group) + " ";
  EXPECT_EQ(all, "zero-1 a0 b0 c0 d1 e1 ");
}

TEST(WordGroups, RefusesAFileWithoutWords) {
  EXPECT_EQ(error_of([] { parse_word_groups(": one\n\n", "w.txt"); }), "w.txt: no word in it");
}

}  // namespace
}  // namespace sesame
