#include "sesame/text/split/split_pattern.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/split/regex.h"
#include "sesame/text/split/split_automaton.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

using Pieces = std::vector<std::string>;

constexpr SplitPattern all_patterns[] = {SplitPattern::gpt2,   SplitPattern::cl100k,   SplitPattern::cl100k_tiktoken,
                                         SplitPattern::qwen2,  SplitPattern::o200k,    SplitPattern::qwen3_5,
                                         SplitPattern::tekken, SplitPattern::nanochat, SplitPattern::deepseek_v3};

Pieces pieces(SplitPattern pattern, std::string_view text) {
  Pieces result;
  split(pattern, text, 0, text.size(), [&](std::string_view piece) { result.emplace_back(piece); });
  return result;
}

/// The slow twin: the published regular expression itself.
Pieces pieces_by_regex(const Regex& regex, std::string_view text) {
  Pieces result;
  size_t done = 0;
  const auto add = [&](size_t begin, size_t end) {
    if (end > begin) result.emplace_back(text.substr(begin, end - begin));
  };
  regex.for_each_match(text, [&](size_t begin, size_t end) {
    add(done, begin);
    add(begin, end);
    done = end;
  });
  add(done, text.size());
  return result;
}

TEST(SplitPattern, Gpt2SplitsContractionsInLowerCaseOnly) {
  EXPECT_EQ(pieces(SplitPattern::gpt2, "I'll DON'T we've"), (Pieces{"I", "'ll", " DON", "'", "T", " we", "'ve"}));
  EXPECT_EQ(pieces(SplitPattern::cl100k, "I'Ll DON'T"), (Pieces{"I", "'Ll", " DON", "'T"}));
}

TEST(SplitPattern, LongSFoldsToSInContractions) {
  EXPECT_EQ(pieces(SplitPattern::cl100k, "it'\u017F fine"), (Pieces{"it", "'\u017F", " fine"}));
  EXPECT_EQ(pieces(SplitPattern::o200k, "it'\u017F fine"), (Pieces{"it'\u017F", " fine"}));
}

TEST(SplitPattern, LastSpaceGoesWithTheWord) {
  EXPECT_EQ(pieces(SplitPattern::gpt2, "  x\n\n y "), (Pieces{" ", " x", "\n\n", " y", " "}));
}

TEST(SplitPattern, WhiteSpaceAtTheEndTellsTheTwoCl100ksApart) {
  EXPECT_EQ(pieces(SplitPattern::cl100k, "a\n  "), (Pieces{"a", "\n", "  "}));
  EXPECT_EQ(pieces(SplitPattern::cl100k_tiktoken, "a\n  "), (Pieces{"a", "\n  "}));
  EXPECT_EQ(pieces(SplitPattern::cl100k_tiktoken, "a\n  b"), (Pieces{"a", "\n", " ", " b"}));
}

TEST(SplitPattern, NumbersComeInThreesOrAlone) {
  EXPECT_EQ(pieces(SplitPattern::gpt2, "1234567"), (Pieces{"1234567"}));
  EXPECT_EQ(pieces(SplitPattern::cl100k, "1234567"), (Pieces{"123", "456", "7"}));
  EXPECT_EQ(pieces(SplitPattern::qwen2, "12\u00BD"), (Pieces{"1", "2", "\u00BD"}));
}

TEST(SplitPattern, O200kSplitsWordsAtCase) {
  EXPECT_EQ(pieces(SplitPattern::o200k, "HTTPServer NaOH eBay don'T"),
            (Pieces{"HTTPServer", " Na", "OH", " e", "Bay", " don'T"}));
  EXPECT_EQ(pieces(SplitPattern::o200k, "\u65E5\u672CABC"), (Pieces{"\u65E5\u672C", "ABC"}));
  EXPECT_EQ(pieces(SplitPattern::o200k, "path//\n/x"), (Pieces{"path", "//\n/", "x"}));
}

TEST(SplitPattern, SpaceIsUnicodeWhiteSpaceAndNothingElse) {
  // U+001C is a space for Python but not for Unicode; U+0085 and U+3000 are.
  EXPECT_EQ(pieces(SplitPattern::gpt2,
                   "a\x1C"
                   "b\u0085c\u3000d"),
            (Pieces{"a", "\x1C", "b", "\u0085", "c", "\u3000", "d"}));
}

std::string random_text(std::mt19937& random, bool with_invalid) {
  static const std::vector<std::string> parts = {
      "a",      "B",      "z",      "'",      "s",    "S",      "ll",           "VE",         "re",
      "t",      "\u017F", "1",      "23",     "4567", "\u00BD", "\u2167",       "\u0663",     " ",
      "  ",     "\n",     "\r",     "\t",     "\x0B", "\u0085", "\u00A0",       "\u3000",     "\u2028",
      ".",      "!!",     "/",      "//",     "_",    "\u0301", "\u0915\u094D", "\u65E5",     "\u01C5",
      "\u02B0", "\u00E9", "\u0416", "\u0436", "\x1C", "\u200B", "\uFEFF",       "\U0001F636", "\u20AC",
      "\u1680"};
  static const std::vector<std::string> broken = {"\xFF", "\xE6\x97", "\xC0\xAF", "\xED\xA0\x80", "\xF0\x9F"};
  std::string text;
  const size_t count = random() % 8 == 0 ? random() % 120 : random() % 12;
  for (size_t i = 0; i < count; ++i) {
    text += with_invalid && random() % 4 == 0 ? broken[random() % broken.size()] : parts[random() % parts.size()];
  }
  return text;
}

TEST(SplitPattern, ScannersAgreeWithThePublishedExpressions) {
  for (const SplitPattern pattern : all_patterns) {
    std::mt19937 random(7);
    const Regex regex(split_regex(pattern), "test");
    for (int i = 0; i < 2500; ++i) {
      const std::string text = random_text(random, false);
      ASSERT_EQ(pieces(pattern, text), pieces_by_regex(regex, text)) << split_pattern_name(pattern) << " on " << text;
    }
  }
}

TEST(SplitPattern, EverySpellingOfAPatternIsRecognizedAndSplitsAlike) {
  for (const SplitPattern pattern : all_patterns) {
    EXPECT_EQ(recognize_split_regex(split_regex(pattern)), pattern);
    EXPECT_EQ(split_pattern(split_pattern_name(pattern)), pattern);
  }
  EXPECT_EQ(split_pattern("llama3"), SplitPattern::cl100k);
  EXPECT_EQ(recognize_split_regex(R"(\w+)"), std::nullopt);
  EXPECT_THROW(split_pattern("gpt5"), Error);
}

TEST(SplitPattern, PiecesCoverAnyBytes) {
  std::mt19937 random(8);
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random_text(random, true);
    for (const SplitPattern pattern : all_patterns) {
      std::string joined;
      for (const std::string& piece : pieces(pattern, text)) {
        EXPECT_FALSE(piece.empty());
        joined += piece;
      }
      ASSERT_EQ(joined, text);
    }
  }
}

TEST(SplitPattern, SafeCutsChangeNoPiece) {
  std::mt19937 random(9);
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (int k = 0; k < 4; ++k) text += random_text(random, true) + (k % 2 == 0 ? "\n" : "\nw");
    const size_t cut = safe_cut(text, random() % (text.size() + 1));
    for (const SplitPattern pattern : all_patterns) {
      Pieces two_parts;
      const auto add = [&](std::string_view piece) { two_parts.emplace_back(piece); };
      split(pattern, text, 0, cut, add);
      split(pattern, text, cut, text.size(), add);
      ASSERT_EQ(two_parts, pieces(pattern, text)) << split_pattern_name(pattern) << " cut at " << cut;
    }
  }
}

// tiktoken writes its patterns with possessive quantifiers, which Rust's and Oniguruma's syntax read differently.
TEST(SplitPattern, OtherSpellingsAreRecognizedByWhatTheyMatch) {
  const auto rust = [](std::string_view regex) { return recognize_split_regex(regex, RegexSyntax::rust); };
  EXPECT_EQ(rust(R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)"),
            SplitPattern::gpt2);
  EXPECT_EQ(recognize_split_regex(R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"),
            SplitPattern::gpt2);
  constexpr std::string_view cl100k =
      R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s)";
  EXPECT_EQ(rust(cl100k), SplitPattern::cl100k_tiktoken);
  EXPECT_EQ(recognize_split_regex(cl100k), std::nullopt);
  EXPECT_EQ(recognize_split_regex(R"(\p{L}+| ?\p{N}+|.)"), std::nullopt);
}

TEST(SplitPattern, DeepSeeksThreeSplitsAreOnePattern) {
  const std::vector<std::string_view> splits = {
      R"(\p{N}{1,3})", R"([\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+)",
      R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
  EXPECT_EQ(recognize_split_sequence(splits), SplitPattern::deepseek_v3);
  EXPECT_EQ(recognize_split_sequence(std::span(splits).first(2)), std::nullopt);
  EXPECT_EQ(recognize_split_sequence(std::span(splits).first(1)), std::nullopt);
  // Every piece is cut by the three, one after the other.
  std::vector<std::shared_ptr<const SplitAutomaton>> automata;
  for (const auto regex : splits) automata.push_back(SplitAutomaton::compile(regex, RegexSyntax::oniguruma));
  std::mt19937 random(10);
  for (int i = 0; i < 1500; ++i) {
    const std::string text = random_text(random, true);
    Pieces expected{text};
    if (text.empty()) expected.clear();
    for (const auto& automaton : automata) {
      Pieces finer;
      for (const std::string& piece : expected) {
        for (size_t p = 0; p < piece.size();) {
          const auto match = automaton->find(piece, p);
          if (match.begin > p) finer.push_back(piece.substr(p, match.begin - p));
          if (match.end > match.begin) finer.push_back(piece.substr(match.begin, match.end - match.begin));
          p = match.end;
        }
      }
      expected = std::move(finer);
    }
    ASSERT_EQ(pieces(SplitPattern::deepseek_v3, text), expected) << text;
  }
}

TEST(Regex, BadPatternsAndRunawayMatchesAreErrors) {
  EXPECT_THROW(Regex("(a", "file.json"), Error);
  const std::string text(40, 'a');
  const Regex runaway("(a+)+$", "file.json");
  EXPECT_THROW(runaway.for_each_match(text + "b", [](size_t, size_t) {}), Error);
}

}  // namespace
}  // namespace sesame
