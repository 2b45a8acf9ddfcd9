#include "sesame/text/bpe/bpe_model.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/bpe/merge.h"

namespace sesame {
namespace {

struct Sample {
  model::Bpe model;
  TokenizerSpec spec;

  explicit Sample(std::vector<std::string> tokens) {
    for (std::string& token : tokens) {
      spec.vocabulary.push_back({std::move(token), static_cast<int32_t>(spec.vocabulary.size())});
    }
  }
  [[nodiscard]] int32_t id(std::string_view token) const {
    for (const VocabularyEntry& entry : spec.vocabulary) {
      if (entry.token == token) return entry.id;
    }
    return -1;
  }
  void merge(std::string_view left, std::string_view right) { model.merges.push_back({id(left), id(right)}); }

  /// Tokens and places, "a[0,1) bc[1,3)".
  [[nodiscard]] std::string encode(std::string_view piece, bool byte_level = false) const {
    const BpeModel bpe(model, spec, byte_level, "test");
    const auto scratch = bpe.make_scratch();
    std::vector<PieceToken> tokens;
    bpe.encode(piece, *scratch, tokens);
    std::string text;
    for (const PieceToken& t : tokens) {
      text += (text.empty() ? "" : " ") + spec.vocabulary[static_cast<size_t>(t.id)].token + "[" +
              std::to_string(t.begin) + "," + std::to_string(t.end) + ")";
    }
    return text;
  }
};

TEST(BpeModel, PrefixAndSuffixSpellPlacesInAWord) {
  Sample s({"a", "b", "##a", "##b", "##b</w>", "a</w>", "##ab</w>", "a##b", "ab"});
  s.model.continuing_subword_prefix = "##";
  s.model.end_of_word_suffix = "</w>";
  s.merge("##a", "##b</w>");
  s.merge("a", "##b");
  EXPECT_EQ(s.encode("a"), "a</w>[0,1)");
  EXPECT_EQ(s.encode("bab"), "b[0,1) ##ab</w>[1,3)");
  EXPECT_EQ(s.encode("abb"), "ab[0,2) ##b</w>[2,3)");
  EXPECT_EQ(s.encode("aba"), "ab[0,2)");  // "##a</w>" is in no vocabulary
}

TEST(BpeModel, DroppedCharactersLetTheirNeighboursMerge) {
  Sample s({"a", "b", "ab"});
  s.merge("a", "b");
  EXPECT_EQ(s.encode("a?b"), "ab[0,2)");
  EXPECT_EQ(s.encode("a\xFF\xE4\xB8"), "a[0,1)");
}

TEST(BpeModel, UnknownCharactersAreFusedAndByteTokensOvertakeThem) {
  Sample s({"<unk>", "a", "<0xC3>", "<0xA9>"});
  s.model.unk_token = "<unk>";
  EXPECT_EQ(s.encode("a??a"), "a[0,1) <unk>[1,2) <unk>[2,3) a[3,4)");
  s.model.fuse_unk = true;
  EXPECT_EQ(s.encode("a??a"), "a[0,1) <unk>[1,3) a[3,4)");
  s.model.byte_fallback = true;
  EXPECT_EQ(s.encode("?\u00E9a"), "<0xC3>[0,1) <0xA9>[1,2) <unk>[2,3) a[3,4)");
}

TEST(BpeModel, TheLastOfEqualPairsCounts) {
  Sample s({"a", "b", "c", "ab", "bc"});
  s.merge("a", "b");
  s.merge("b", "c");
  EXPECT_EQ(s.encode("abc"), "ab[0,2) c[2,3)");
  s.merge("a", "b");
  EXPECT_EQ(s.encode("abc"), "a[0,1) bc[1,3)");
}

TEST(BpeModel, WholePiecesComeFirstWhereMergesAreIgnored) {
  Sample s({"a", "b", "ab", "aba"});
  s.merge("a", "b");
  EXPECT_EQ(s.encode("aba"), "ab[0,2) a[2,3)");
  s.model.ignore_merges = true;
  EXPECT_EQ(s.encode("aba"), "aba[0,3)");
  EXPECT_EQ(s.encode("abab"), "ab[0,2) ab[2,4)");
}

TEST(BpeModel, MergesThatContradictTheVocabularyAreErrors) {
  Sample s({"a", "b"});
  s.merge("a", "b");
  EXPECT_THROW((void)s.encode("a"), Error);
  s.model.merges = {{0, 7}};
  EXPECT_THROW((void)s.encode("a"), Error);
  s.model.merges = {{-1, 0}};
  EXPECT_THROW((void)s.encode("a"), Error);
}

TEST(MergeTable, RefusesIdsThatNoVocabularyHas) {
  EXPECT_THROW(MergeTable(std::vector<MergeRule>{{0, 1, max_token_id + 1}}, {}, "test"), Error);
  EXPECT_THROW(MergeTable(std::vector<MergeRule>{{-1, 1, 2}}, {}, "test"), Error);
  EXPECT_EQ(MergeTable().find(0, 0), MergeTable::none);
}

}  // namespace
}  // namespace sesame
