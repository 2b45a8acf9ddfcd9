#include "sesame/text/unigram/unigram_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"

namespace sesame {
namespace {

using testing::ElementsAre;

using Pieces = std::vector<std::pair<std::string, double>>;

TokenizerSpec spec_of(const Pieces& pieces, std::optional<int32_t> unk_id, bool byte_fallback = false) {
  TokenizerSpec spec;
  model::Unigram model;
  for (const auto& [piece, score] : pieces) {
    spec.vocabulary.push_back({piece, static_cast<int32_t>(spec.vocabulary.size())});
    model.scores.push_back(score);
  }
  model.unk_id = unk_id;
  model.byte_fallback = byte_fallback;
  spec.model = model;
  return spec;
}

std::vector<std::string> encode(const TokenizerSpec& spec, std::string_view text) {
  const UnigramModel model(std::get<model::Unigram>(spec.model), spec, "test");
  const auto scratch = model.make_scratch();
  std::vector<PieceToken> tokens;
  model.encode(text, *scratch, tokens);
  std::vector<std::string> pieces;
  for (const PieceToken& token : tokens) {
    pieces.push_back(spec.vocabulary[static_cast<size_t>(token.id)].token + "=" +
                     std::string(text.substr(token.begin, token.end - token.begin)));
  }
  return pieces;
}

// The example of tokenizers' documentation of Unigram.
const Pieces documented = {{"<unk>", 0}, {"a", 0},  {"b", 0},   {"c", 0},    {"d", 0},
                           {"cd", 1},    {"ab", 2}, {"abc", 5}, {"abcd", 10}};

TEST(UnigramModel, TakesTheMostProbablePieces) {
  EXPECT_THAT(encode(spec_of(documented, 0), "abcdacdxx"), ElementsAre("abcd=abcd", "a=a", "cd=cd", "<unk>=xx"));
  EXPECT_THAT(encode(spec_of(documented, 0), ""), ElementsAre());
}

TEST(UnigramModel, AmongEqualPathsTheFirstCounts) {
  EXPECT_THAT(encode(spec_of({{"<unk>", 0}, {"o", -1}, {"oo", -2}}, 0), "oo"), ElementsAre("oo=oo"));
  EXPECT_THAT(encode(spec_of({{"<unk>", 0}, {"o", -1}, {"oo", -1}}, 0), "ooo"), ElementsAre("o=o", "oo=oo"));
}

TEST(UnigramModel, RunsOfUnknownCharactersAreOneTokenOrBytes) {
  Pieces pieces = {{"<unk>", 0}, {"a", -1}};
  EXPECT_THAT(encode(spec_of(pieces, 0, true), "xy\xC3\xA9"), ElementsAre("<unk>=xy\xC3\xA9"));
  for (int byte = 0; byte < 256; ++byte) pieces.emplace_back(byte_token(static_cast<uint8_t>(byte)), -5);
  EXPECT_THAT(encode(spec_of(pieces, 0, true), "axy"), ElementsAre("a=a", "<0x78>=xy", "<0x79>=xy"));
  EXPECT_THAT(encode(spec_of(pieces, 0, false), "axy"), ElementsAre("a=a", "<unk>=xy"));
  EXPECT_THAT(encode(spec_of(pieces, 0, true), "\xFF"), ElementsAre("<0xFF>=\xFF"));
}

/// Where unknown characters are worth more than a piece, a run of them may spell it.
TEST(UnigramModel, ARunThatSpellsAPieceIsThePiece) {
  EXPECT_THAT(encode(spec_of({{"<unk>", 40}, {"xy", 30}, {"b", 50}}, 0), "xyb"), ElementsAre("xy=xy", "b=b"));
  EXPECT_THAT(encode(spec_of({{"<unk>", 40}, {"xy", 30}, {"b", 50}}, 0), "xyz"), ElementsAre("<unk>=xyz"));
}

TEST(UnigramModel, WithoutAnUnknownTokenUnknownCharactersAreRefused) {
  EXPECT_THAT(encode(spec_of({{"a", -1}, {"b", -1}}, std::nullopt), "ab"), ElementsAre("a=a", "b=b"));
  EXPECT_THROW(encode(spec_of({{"a", -1}, {"b", -1}}, std::nullopt), "axb"), Error);
  // No character of its own is needed where longer pieces are better.
  EXPECT_THAT(encode(spec_of({{"a", -1}, {"ax", 90}}, std::nullopt), "ax"), ElementsAre("ax=ax"));
}

TEST(UnigramModel, RefusesWhatDoesNotFit) {
  TokenizerSpec spec = spec_of(documented, 9);
  EXPECT_THROW(encode(spec, "a"), Error);
  spec = spec_of(documented, 0);
  std::get<model::Unigram>(spec.model).scores.pop_back();
  EXPECT_THROW(encode(spec, "a"), Error);
  for (const double score : {-1e31, 1e31, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(encode(spec_of({{"<unk>", 0}, {"a", score}}, 0), "a"), Error) << score;
  }
}

}  // namespace
}  // namespace sesame
