#include "sesame/text/sentencepiece/text_normalizer.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sesame/text/sentencepiece/charsmap.h"

namespace sesame {
namespace {

SentencePieceNormalizer make(const normalizer::SentencePiece& settings,
                             const std::vector<std::string_view>& user_symbols = {}) {
  return {settings, user_symbols, "test"};
}

/// What SentencePiece 0.2.3 gives, with "_" for the space symbol.
std::string shown(std::string text) {
  for (size_t at = text.find(space_symbol); at != std::string::npos; at = text.find(space_symbol, at)) {
    text.replace(at, space_symbol.size(), "_");
  }
  return text;
}

const std::string mark(space_symbol);

TEST(SentencePieceNormalizer, JoinsAndStripsWhiteSpace) {
  const SentencePieceNormalizer normalizer = make({});
  EXPECT_EQ(shown(normalizer.apply("  a  b ")), "_a_b");
  EXPECT_EQ(normalizer.apply("   "), "");
  EXPECT_EQ(normalizer.apply(""), "");
  // Space symbols that stand in the text are no spaces, but go from its end.
  EXPECT_EQ(shown(normalizer.apply("a " + mark + mark)), "_a");
  EXPECT_EQ(shown(normalizer.apply(mark + "a")), "__a");
  EXPECT_EQ(shown(normalizer.apply(mark)), "");
}

TEST(SentencePieceNormalizer, ComposesBehindWhatIsCopied) {
  for (const char* rules : {"nfkc", "nmt_nfkc", "nfkc_cf", "nmt_nfkc_cf"}) {
    normalizer::SentencePiece settings;
    settings.charsmap = make_charsmap(rules);
    EXPECT_EQ(shown(make(settings).apply("e\u0301|abe\u0301 \u4E2De\u0301")), "_\u00E9|ab\u00E9_\u4E2D\u00E9") << rules;
  }
}

/// With sources every character is looked up by itself; without, those that are in no rule are copied in runs.
TEST(SentencePieceNormalizer, CopiesWhatNoRuleTouches) {
  constexpr std::array parts = {"a",
                                "B",
                                " ",
                                "  ",
                                "e\u0301",
                                "\u0301",
                                "\u4E2D",
                                "\u6587",
                                "\u3000",
                                "\uFF21",
                                "\u00E9",
                                "\u00A0",
                                "\u0439",
                                "\u2581",
                                "\uFB01",
                                "\xE4",
                                "\xB8",
                                "\xED\xA0\x80",
                                "\xE0\x80\x80",
                                "\xC0\x80",
                                "\U0001F600",
                                "\t",
                                "\n",
                                "\u304B\u3099",
                                "\u3099"};
  std::vector<normalizer::SentencePiece> all(4);
  all[1].charsmap = make_charsmap("nmt_nfkc");
  all[2].charsmap = compile_charsmap({{"a\u4E2D", "x"}, {"\u6587\u6587", "y"}, {"\u0439", ""}});
  all[3].charsmap = compile_charsmap({{"\xE4", "z"}, {"\xB8", "\u4E2D"}});  // parts of characters
  uint64_t state = 3;
  const auto draw = [&](uint64_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
  };
  for (const normalizer::SentencePiece& settings : all) {
    for (const std::vector<std::string_view>& symbols :
         {std::vector<std::string_view>{}, {"\u4E2D\u6587", "B\u00E9"}}) {
      const SentencePieceNormalizer normalizer = make(settings, symbols);
      for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (uint64_t left = draw(12); left > 0; --left) text += parts[draw(parts.size())];
        std::vector<size_t> sources;
        ASSERT_EQ(normalizer.apply(text), normalizer.apply(text, &sources)) << text;
      }
    }
  }
}

TEST(SentencePieceNormalizer, HonoursItsFlags) {
  normalizer::SentencePiece settings;
  settings.remove_extra_whitespaces = false;
  EXPECT_EQ(shown(make(settings).apply("  a ")), "___a_");
  EXPECT_EQ(shown(make(settings).apply(" ")), "__");
  settings.add_dummy_prefix = false;
  EXPECT_EQ(shown(make(settings).apply("  a ")), "__a_");
  settings.escape_whitespaces = false;
  EXPECT_EQ(shown(make(settings).apply("  a ")), "  a ");
  settings = {};
  settings.treat_whitespace_as_suffix = true;
  EXPECT_EQ(shown(make(settings).apply(" a b ")), "a_b_");
  EXPECT_EQ(shown(make(settings).apply("  ")), "");
}

TEST(SentencePieceNormalizer, LeavesUserSymbolsAlone) {
  normalizer::SentencePiece settings;
  settings.charsmap = compile_charsmap({{"A", "a"}, {"AB", "x"}, {"B", "b"}});
  EXPECT_EQ(shown(make(settings).apply("ABA")), "_xa");
  EXPECT_EQ(shown(make(settings, {"BA"}).apply("ABABA")), "_xxa");
  EXPECT_EQ(shown(make(settings, {"A", "AB C"}).apply("ABAB C")), "_AbAB_C");
}

TEST(SentencePieceNormalizer, BytesThatAreNoCharactersBecomeReplacementCharacters) {
  EXPECT_EQ(shown(make({}).apply("a\xE2\x96z\xFF")), "_a\xEF\xBF\xBD\xEF\xBF\xBDz\xEF\xBF\xBD");
}

TEST(SentencePieceNormalizer, SaysWhereBytesComeFrom) {
  normalizer::SentencePiece settings;
  settings.charsmap = compile_charsmap({{"\xEF\xAC\x81", "fi"}});
  std::vector<size_t> sources;
  EXPECT_EQ(shown(make(settings).apply("  \xEF\xAC\x81  x ", &sources)), "_fi_x");
  EXPECT_EQ(sources, (std::vector<size_t>{2, 2, 2, 2, 2, 5, 5, 5, 7, 8}));
}

TEST(SentencePieceNormalizer, KnowsWhereATextMayBeCut) {
  normalizer::SentencePiece settings;
  EXPECT_TRUE(make(settings).cuts_before_spaces());
  EXPECT_TRUE(make(settings, {" a"}).cuts_before_spaces());
  EXPECT_FALSE(make(settings, {"a b"}).cuts_before_spaces());
  settings.charsmap = compile_charsmap({{"a b", "c"}});
  EXPECT_FALSE(make(settings).cuts_before_spaces());
  settings.charsmap = compile_charsmap({{" ", "c"}});
  EXPECT_FALSE(make(settings).cuts_before_spaces());
  settings.charsmap = compile_charsmap({{"\t", " "}});
  EXPECT_TRUE(make(settings).cuts_before_spaces());
  settings.treat_whitespace_as_suffix = true;
  EXPECT_FALSE(make(settings).cuts_before_spaces());
}

}  // namespace
}  // namespace sesame
