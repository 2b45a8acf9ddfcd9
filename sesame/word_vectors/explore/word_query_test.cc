#include "sesame/word_vectors/explore/word_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/error_of.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(WordQuery, SumsOfWords) {
  const WordQuery q = parse_word_query("  king - man\t+ woman well-known - x ");
  EXPECT_THAT(q.positive, ElementsAre("king", "woman", "well-known"));
  EXPECT_THAT(q.negative, ElementsAre("man", "x"));
  EXPECT_THAT(parse_word_query("- man").negative, ElementsAre("man"));
  EXPECT_THAT(parse_word_query("king - man woman").positive, ElementsAre("king", "woman"));
  EXPECT_THAT(parse_word_query("国王 + 女").positive, ElementsAre("国王", "女"));
}

TEST(WordQuery, RefusesSignsWithoutWords) {
  EXPECT_THAT(error_of([] { parse_word_query("king -"); }), HasSubstr("behind the last sign"));
  EXPECT_THAT(error_of([] { parse_word_query("king + - man"); }), HasSubstr("two signs"));
  EXPECT_THAT(error_of([] { parse_word_query(" "); }), HasSubstr("is missing"));
}

TEST(NearSpellings, NearestFirstThenFrequent) {
  const WordVectors v = made_vectors({"the", "kings", "kin", "king", "ing", "Berlin", "国王", "国家", "ring"}, 2);
  EXPECT_THAT(near_spellings(v.vocabulary, "kign"), ElementsAre("kin", "king"));
  EXPECT_THAT(near_spellings(v.vocabulary, "KING", 9), ElementsAre("king", "kings", "kin", "ing", "ring"));
  EXPECT_THAT(near_spellings(v.vocabulary, "KING", 2), ElementsAre("king", "kings"));
  EXPECT_THAT(near_spellings(v.vocabulary, "brelni"), ElementsAre("Berlin"));
  EXPECT_THAT(near_spellings(v.vocabulary, "国土"), ElementsAre("国王", "国家"));
  EXPECT_THAT(near_spellings(v.vocabulary, "xyzzy"), IsEmpty());
  EXPECT_THAT(near_spellings(v.vocabulary, ""), IsEmpty());
  EXPECT_THAT(near_spellings(v.vocabulary, std::string(1000, 'k')), IsEmpty());
  EXPECT_THAT(near_spellings(v.vocabulary, "\xFF\xFE"), IsEmpty());
}

TEST(WordQuery, ResolvesToVectorsAndExcludesItsWords) {
  const WordVectors v = made_vectors({"king", "man", "woman"}, 3);
  const AnalogyTerms terms = resolve(v, parse_word_query("king - man + woman"));
  ASSERT_EQ(terms.positive.size(), 2U);
  EXPECT_EQ(terms.positive[1], std::vector<float>(v.row(2).begin(), v.row(2).end()));
  EXPECT_EQ(terms.negative[0], std::vector<float>(v.row(1).begin(), v.row(1).end()));
  EXPECT_THAT(terms.excluded, ElementsAre(0, 2, 1));
  EXPECT_THAT(error_of([&] { (void)resolve(v, parse_word_query("kign")); }),
              HasSubstr("\"kign\" is not among the 3 words (did you mean king?)"));
}

}  // namespace
}  // namespace sesame
