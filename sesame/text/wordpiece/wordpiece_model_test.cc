#include "sesame/text/wordpiece/wordpiece_model.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "sesame/base/error_of.h"
#include "sesame/text/words/string_map.h"

namespace sesame {
namespace {

using Tokens = std::vector<std::string>;

TokenizerSpec spec_of(const Tokens& tokens, model::WordPiece model = {}) {
  TokenizerSpec spec;
  for (const std::string& token : tokens) {
    spec.vocabulary.push_back({token, static_cast<int32_t>(spec.vocabulary.size())});
  }
  spec.model = std::move(model);
  return spec;
}

/// The tokens of a word, "a|##b"; checks that their offsets cover it.
std::string tokens_of(const TokenizerSpec& spec, std::string_view word) {
  const WordPieceModel model(std::get<model::WordPiece>(spec.model), spec);
  const auto scratch = model.make_scratch();
  std::vector<PieceToken> tokens;
  model.encode(word, *scratch, tokens);
  std::string out;
  uint32_t end = 0;
  for (const PieceToken& token : tokens) {
    EXPECT_EQ(token.begin, end);
    end = token.end;
    if (!out.empty()) out += '|';
    out += spec.vocabulary[static_cast<size_t>(token.id)].token;
  }
  EXPECT_EQ(end, word.size());
  return out;
}

/// WordPiece as it is defined: every end is tried, from the last.
std::string defined_tokens(const TokenizerSpec& spec, std::string_view word) {
  const auto& model = std::get<model::WordPiece>(spec.model);
  StringMap ids;
  for (const VocabularyEntry& entry : spec.vocabulary) ids[entry.token] = entry.id;
  if (word.size() > model.max_input_chars_per_word) return model.unk_token;
  std::string out;
  for (size_t begin = 0; begin < word.size();) {
    size_t end = word.size();
    std::string piece;
    for (; end > begin; --end) {
      piece = (begin > 0 ? model.continuing_subword_prefix : "") + std::string(word.substr(begin, end - begin));
      if (ids.contains(piece)) break;
    }
    if (end == begin) return model.unk_token;
    if (!out.empty()) out += '|';
    out += piece;
    begin = end;
  }
  return out;
}

TEST(WordPieceModel, TakesTheLongestPieces) {
  const TokenizerSpec spec = spec_of({"[UNK]", "un", "una", "##aff", "##ff", "##able", "##a", "##able##", "##ab"});
  EXPECT_EQ(tokens_of(spec, "unaffable"), "una|##ff|##able");
  EXPECT_EQ(tokens_of(spec, "un"), "un");
  EXPECT_EQ(tokens_of(spec, "unaffabl"), "[UNK]");
  EXPECT_EQ(tokens_of(spec, "x"), "[UNK]");
  EXPECT_EQ(tokens_of(spec, ""), "");
}

TEST(WordPieceModel, PrefixOfContinuingPiecesIsTextAtTheStartOfAWord) {
  const TokenizerSpec spec = spec_of({"[UNK]", "##", "##a", "#", "##b", "####", "###c"});
  EXPECT_EQ(tokens_of(spec, "##a"), "##a");
  EXPECT_EQ(tokens_of(spec, "##ab"), "##a|##b");
  EXPECT_EQ(tokens_of(spec, "##"), "##");
  EXPECT_EQ(tokens_of(spec, "a##"), "[UNK]");  // no piece begins with "a"
  EXPECT_EQ(tokens_of(spec, "##a##"), "##a|####");
  EXPECT_EQ(tokens_of(spec, "##a#c"), "##a|###c");
}

TEST(WordPieceModel, CountsCodePointsOfLongWords) {
  model::WordPiece model;
  model.max_input_chars_per_word = 3;
  const TokenizerSpec spec = spec_of({"[UNK]", "é", "##é", "ééé", "éééé", "##ééé"}, model);
  EXPECT_EQ(tokens_of(spec, "ééé"), "ééé");
  EXPECT_EQ(tokens_of(spec, "éé"), "é|##é");
  EXPECT_EQ(tokens_of(spec, "éééé"), "[UNK]");
}

TEST(WordPieceModel, SpecialTokensAreNotText) {
  TokenizerSpec spec = spec_of({"[UNK]", "[CLS]", "a", "##[CLS]"});
  AddedToken special;
  special.id = 1;
  special.content = "[CLS]";
  special.special = true;
  spec.added_tokens.push_back(special);
  EXPECT_EQ(tokens_of(spec, "[CLS]"), "[UNK]");
  EXPECT_EQ(tokens_of(spec, "a[CLS]"), "a|##[CLS]");
}

TEST(WordPieceModel, NamesTheWordWhereThereIsNoUnknownToken) {
  const TokenizerSpec spec = spec_of({"a"});
  EXPECT_NE(error_of([&] { (void)tokens_of(spec, "abc"); }).find("'abc'"), std::string::npos);
}

TEST(WordPieceModel, AgreesWithTheDefinitionOnRandomVocabularies) {
  std::mt19937 random(5);
  const auto word = [&](size_t most, int letters) {
    std::string text(1 + random() % most, 'a');
    for (char& c : text) c = "abc#"[random() % static_cast<size_t>(letters)];
    return text;
  };
  for (int round = 0; round < 400; ++round) {
    model::WordPiece model;
    if (round % 5 == 0) model.continuing_subword_prefix = round % 2 == 0 ? "" : "#";
    model.max_input_chars_per_word = round % 3 == 0 ? 7 : 100;
    Tokens tokens = {"[UNK]"};
    for (int i = 0; i < 12; ++i) {
      std::string token = (i % 2 == 0 ? model.continuing_subword_prefix : "") + word(6, 2 + round % 3);
      if (std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(std::move(token));
    }
    const TokenizerSpec spec = spec_of(tokens, model);
    for (int i = 0; i < 20; ++i) {
      const std::string text = word(12, 2 + round % 3);
      ASSERT_EQ(tokens_of(spec, text), defined_tokens(spec, text)) << text << " in round " << round;
    }
  }
}

TEST(WordPieceModel, LongPiecesTakeLinearMemoryAndTime) {
  model::WordPiece model;
  model.max_input_chars_per_word = 1 << 20;
  std::string run(200'000, 'a');
  const TokenizerSpec spec = spec_of({"[UNK]", "a", "##a", run}, model);
  EXPECT_EQ(tokens_of(spec, run), run);
  run.pop_back();
  EXPECT_EQ(tokens_of(spec, run).size(), 1 + 4 * (run.size() - 1));
}

}  // namespace
}  // namespace sesame
