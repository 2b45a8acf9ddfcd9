#include "sesame/word_vectors/train/subwords.h"

#include <gtest/gtest.h>

namespace sesame {
namespace {

std::vector<int32_t> subwords(std::string_view word, const SubwordShape& shape) {
  std::vector<int32_t> buckets;
  append_subwords(word, shape, buckets);
  return buckets;
}

// The buckets below are those of fastText 0.9.2: a version 12 model was made whose bucket rows hold their own numbers,
// and `fasttext print-ngrams MODEL WORD` printed them.
constexpr SubwordShape kUsual{3, 6, 2'000'000};
constexpr SubwordShape kShort{1, 3, 100'003};
constexpr SubwordShape kPairs{2, 2, 2'000'000};

TEST(Subwords, AreFastTextsForAnAsciiWord) {
  EXPECT_EQ(subwords("where", kUsual),
            (std::vector<int32_t>{167652, 989715, 1526707, 1071586, 420941, 312621, 969176, 121234, 1473420, 1540811,
                                  114991, 1529033, 1568469, 867498}));
  EXPECT_EQ(subwords("where", kPairs), (std::vector<int32_t>{122084, 755706, 1363254, 1359446, 1930064, 458490}));
  EXPECT_EQ(subwords("a", kUsual), (std::vector<int32_t>{1087600}));
}

TEST(Subwords, AreFastTextsForCharactersOfSeveralBytes) {
  EXPECT_EQ(subwords("文字", kUsual), (std::vector<int32_t>{1593535, 80019, 1215973}));
  EXPECT_EQ(subwords("文字", kShort), (std::vector<int32_t>{7060, 74873, 86631, 69486, 58940, 92884, 26938}));
  EXPECT_EQ(subwords("naïve", kUsual),
            (std::vector<int32_t>{1806890, 1907692, 878190, 933201, 1590546, 1719404, 832043, 156687, 356832, 1223007,
                                  1505331, 1711570, 1788548, 1088654}));
}

TEST(Subwords, LeaveOutBoundaryMarksThatStandAlone) {
  EXPECT_EQ(subwords("a", kShort), (std::vector<int32_t>{55923, 16830, 87446, 6178}));
  EXPECT_EQ(subwords("xx", kShort), (std::vector<int32_t>{82263, 80387, 15336, 48433, 53022, 15336, 50335}));
}

TEST(Subwords, TakeBytesThatAreNotUtf8AsFastTextDoes) {
  EXPECT_EQ(
      subwords("\x80"
               "a\xff\xe6"
               "b",
               kShort),
      (std::vector<int32_t>{10605, 60183, 87446, 50151, 70192, 67527, 82324, 2216, 93867, 75471, 59809, 18791, 72491}));
}

TEST(Subwords, TheEndOfASentenceHasNone) {
  EXPECT_EQ(subwords("</s>", kUsual), std::vector<int32_t>());
  EXPECT_EQ(subwords("where", {0, 0, 2'000'000}), std::vector<int32_t>());
}

TEST(Subwords, HashOfBytesAboveAsciiIsSignExtended) {
  EXPECT_EQ(subword_hash(""), 2166136261u);
  EXPECT_EQ(subword_hash("a"), 0xE40C292Cu);  // FNV-1a's published value
  EXPECT_EQ(subword_hash("\x80") % 2'000'000, ((2166136261u ^ 0xFFFFFF80u) * 16777619u) % 2'000'000);
  EXPECT_EQ(subword_hash("文字>") % 2'000'000, 1215973u);
}

TEST(Subwords, AnIndexHoldsThoseOfEveryWord) {
  const Vocabulary vocabulary({{"where", 3}, {"文字", 2}, {"a", 1}}, true);
  const SubwordIndex index(vocabulary, kUsual);
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const auto of = index.of(id);
    EXPECT_EQ(std::vector<int32_t>(of.begin(), of.end()), subwords(vocabulary.word(id), kUsual));
  }
  EXPECT_EQ(index.of(0).size(), 0u);
  EXPECT_EQ(index.of(1).size(), 14u);
}

}  // namespace
}  // namespace sesame
