#include "sesame/text/split/splitter.h"

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <random>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/split/regex.h"
#include "sesame/text/split/split_automaton.h"

namespace sesame {
namespace {

constexpr SplitPattern all_patterns[] = {SplitPattern::gpt2,   SplitPattern::cl100k,   SplitPattern::cl100k_tiktoken,
                                         SplitPattern::qwen2,  SplitPattern::o200k,    SplitPattern::qwen3_5,
                                         SplitPattern::tekken, SplitPattern::nanochat, SplitPattern::deepseek_v3};

std::vector<size_t> all_ends(const Splitter& splitter, std::string_view text, size_t room = 100) {
  std::vector<size_t> result;
  std::vector<uint32_t> ends(room);
  for (size_t p = 0; p < text.size();) {
    const size_t count = splitter.find_ends(text, p, ends);
    if (count == 0) return result;
    for (size_t i = 0; i < count; ++i) result.push_back(p + ends[i]);
    p = result.back();
  }
  return result;
}

std::vector<size_t> ends_by_automaton(const SplitAutomaton& automaton, std::string_view text) {
  std::vector<size_t> result;
  for (size_t p = 0; p < text.size();) {
    const auto match = automaton.find(text, p);
    if (match.begin > p) result.push_back(match.begin);
    if (match.end > match.begin) result.push_back(match.end);
    p = match.end;
  }
  return result;
}

std::vector<size_t> ends_by_regex(const Regex& regex, std::string_view text) {
  std::vector<size_t> result;
  size_t done = 0;
  regex.for_each_match(text, [&](size_t begin, size_t end) {
    if (begin > done) result.push_back(begin);
    if (end > begin) result.push_back(end);
    done = end;
  });
  if (done < text.size()) result.push_back(text.size());
  return result;
}

const std::vector<std::string> parts = {
    "a",      "B",      "z",      "'",       "'s",     "'LL",    "s",      "Ve",     "re",         "t",
    "\u017F", "1",      "23",     "4567",    "\u00BD", "\u2167", "\u0663", " ",      "  ",         " ",
    "\n",     "\n",     "\r",     "\t",      "\x0B",   "\u0085", "\u00A0", "\u3000", "\u2028",     ".",
    "!!",     "/",      "//",     "_",       "\u0301", "\u0915", "\u65E5", "\u672C", "\u01C5",     "\u02B0",
    "\u00E9", "\u0416", "\u0436", "\u200B",  "\u4E2D", "\u3002", "\uFF0C", "\u20AC", "\U0001F636", "\u1680",
    "ABC",    "words",  " and ",  "       ", "CamelC", "\uAC00", "\u3042", "\u0898"};
const std::vector<std::string> broken = {"\xFF", "\xE6\x97", "\xC0\xAF", "\xED\xA0\x80", "\xF0\x9F", "\x80", "\xE5"};

/// Short texts, texts of several blocks, and texts of few different characters, which have long runs.
std::string random_text(std::mt19937& random, bool with_broken) {
  std::vector<std::string> some = parts;
  if (with_broken) some.insert(some.end(), broken.begin(), broken.end());
  const size_t different = random() % 3 == 0 ? 1 + random() % 5 : some.size();
  for (size_t i = 0; i < different; ++i) std::swap(some[i], some[i + random() % (some.size() - i)]);
  const size_t count = random() % 3 == 0 ? random() % 150 : random() % 16;
  std::string text;
  for (size_t i = 0; i < count; ++i) text += some[random() % different];
  return text;
}

TEST(Splitter, MasksAgreeWithTheAutomatonOnEveryInstructionSet) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    for (const SplitPattern pattern : all_patterns) {
      std::mt19937 random(11);
      const auto splitter = Splitter::known(pattern);
      for (int i = 0; i < 1500; ++i) {
        const std::string text = random_text(random, true);
        ASSERT_EQ(all_ends(*splitter, text), ends_by_automaton(split_automaton(pattern), text))
            << split_pattern_name(pattern) << " with " << hwy::TargetName(target) << " on " << text;
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(Splitter, LittleRoomGivesTheSameEnds) {
  std::mt19937 random(12);
  for (int i = 0; i < 300; ++i) {
    const std::string text = random_text(random, true);
    for (const SplitPattern pattern : all_patterns) {
      const auto splitter = Splitter::known(pattern);
      const auto expected = all_ends(*splitter, text, 2000);
      for (const size_t room : {1, 2, 79, 80, 81}) ASSERT_EQ(all_ends(*splitter, text, room), expected) << text;
      EXPECT_EQ(splitter->find_ends(text, 0, {}), 0u);
    }
  }
}

// Every place of a text around the sizes of blocks, next to the end of the readable memory.
TEST(Splitter, TextsOfEveryLengthEndWhereTheyEnd) {
  const std::string unit = "It's 1234 caf\u00E9s,\n  \n\u65E5\u672C DON'T\t\u3002x ";
  std::string text;
  while (text.size() < 300) text += unit;
  for (size_t size = 0; size <= text.size(); ++size) {
    const std::vector<char> exact_memory(text.begin(), text.begin() + static_cast<ptrdiff_t>(size));
    const std::string_view view(exact_memory.data(), exact_memory.size());
    for (const SplitPattern pattern : all_patterns) {
      ASSERT_EQ(all_ends(*Splitter::known(pattern), view), ends_by_automaton(split_automaton(pattern), view)) << size;
    }
  }
}

TEST(Splitter, CutsChangeNoPiece) {
  std::mt19937 random(13);
  size_t cuts = 0;
  std::vector<std::shared_ptr<const Splitter>> splitters;
  for (const SplitPattern pattern : all_patterns) splitters.push_back(Splitter::known(pattern));
  splitters.push_back(Splitter::compile(R"(\w+|[^\w\s]+)", "test"));
  splitters.push_back(Splitter::compile(R"([!.][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*)"
                                        R"(|\s*[\r\n]+|\s+(?!\S)|\s+)",
                                        "test"));
  splitters.push_back(Splitter::compile(R"(ab?(?=[ \n])|\p{N}{1,3}|[^a]+?(?!\w))", "test"));
  for (int i = 0; i < 1500; ++i) {
    const std::string text = random_text(random, true);
    for (const auto& splitter : splitters) {
      const size_t cut = splitter->next_cut(text, 1 + random() % (text.size() + 1));
      if (cut >= text.size()) continue;
      ++cuts;
      std::vector<size_t> two_parts = all_ends(*splitter, std::string_view(text).substr(0, cut));
      for (const size_t end : all_ends(*splitter, std::string_view(text).substr(cut))) two_parts.push_back(cut + end);
      ASSERT_EQ(two_parts, all_ends(*splitter, text)) << "cut at " << cut << " of " << text;
    }
  }
  EXPECT_GT(cuts, 8000u);
}

TEST(Splitter, CutsAreFrequentInProse) {
  const std::string english = "Call me Ishmael. Some years ago, never mind how long precisely, having little money";
  const std::string chinese = "\u4ECA\u5929\u5929\u6C14\u5F88\u597D\uFF0C\u6211\u4EEC\u53BB\u516C\u56ED\u3002";
  for (const SplitPattern pattern : all_patterns) {
    const auto splitter = Splitter::known(pattern);
    EXPECT_EQ(splitter->next_cut(english, 1), 4u);
    EXPECT_EQ(splitter->next_cut(chinese, 1), 18u);
    EXPECT_EQ(splitter->next_cut("aaaa", 1), 4u);
    EXPECT_EQ(splitter->next_cut("", 1), 0u);
  }
}

const std::vector<std::string> expressions = {
    R"(\p{N}{1,3})",
    "[\u4E00-\u9FA5\u3040-\u309F\u30A0-\u30FF]+",
    R"([!"#'.,/][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
    R"([^\p{L}\s]+|\d\d)",
    R"(a{2,4}?b|\p{Lu}\p{Ll}*?(?=[0-9])|.)",
    R"(\s+$|\S{1,5}(?!\n))",
    R"((?:a|ab)(?:c|bcd)?|(?i:WORDS|s)+|[A-F\x{AC00}-\x{D7A3}]+)",
    R"((?:(?:x|a)+B)+|re*+t|\P{L}++1?|[^\S\r\n]+?\n)",
    R"(a+?|a+b|(?!a)\S(?=[\sab]|[.]))",
    R"([a-z&&&&[^s]]|z)",
};

TEST(SplitAutomaton, AgreesWithPcre2) {
  for (const std::string& expression : expressions) {
    const auto automaton = SplitAutomaton::compile(expression, RegexSyntax::oniguruma);
    if (expression.find("&&") != std::string::npos) {
      EXPECT_EQ(automaton, nullptr);
      continue;
    }
    ASSERT_NE(automaton, nullptr) << expression;
    const Regex regex(expression, "test");
    std::mt19937 random(14);
    for (int i = 0; i < 1500; ++i) {
      const std::string text = random_text(random, false);
      ASSERT_EQ(ends_by_automaton(*automaton, text), ends_by_regex(regex, text)) << expression << " on " << text;
    }
  }
}

TEST(SplitAutomaton, KnowsWhereOnigurumaDiffers) {
  const auto ends = [](std::string_view regex, std::string_view text, RegexSyntax syntax) {
    return ends_by_automaton(*SplitAutomaton::compile(regex, syntax), text);
  };
  const auto ruby = RegexSyntax::oniguruma;
  const auto rust = RegexSyntax::rust;
  using Ends = std::vector<size_t>;
  EXPECT_EQ(ends(R"(\p{N}{1,3}+)", "1234567", ruby), (Ends{7}));
  EXPECT_EQ(ends(R"(\p{N}{1,3}+)", "1234567", rust), (Ends{3, 6, 7}));
  EXPECT_EQ(ends("a$", "a\na", ruby), (Ends{1, 2, 3}));
  EXPECT_EQ(ends("a$", "a\na", rust), (Ends{2, 3}));
  EXPECT_EQ(ends(R"(\w+)", "a\u00BD", ruby), (Ends{3}));
  EXPECT_EQ(ends(R"(\w+)", "a\u00BD", rust), (Ends{1, 3}));
  EXPECT_EQ(ends(R"([\w]+)", "a\u00BD", ruby), (Ends{1, 3}));
  EXPECT_EQ(ends(R"((?m:.)+)", "a\n", ruby), (Ends{2}));
}

TEST(SplitAutomaton, BytesThatAreNotUtf8AreNeitherLetterNorNumberNorSpace) {
  const auto ends = [](std::string_view regex) {
    return ends_by_automaton(*SplitAutomaton::compile(regex, RegexSyntax::oniguruma), "a\xFF\xE6\x97z");
  };
  EXPECT_EQ(ends(R"([^\s\p{L}\p{N}]+)"), (std::vector<size_t>{1, 4, 5}));
  EXPECT_EQ(ends(R"(\p{C})"), (std::vector<size_t>{5}));
}

TEST(SplitAutomaton, RefusesWhatItCannotSay) {
  for (const std::string regex : {"(a", "a)", "[a", R"((a)\1)", "(?<=a)b", R"(\bx)", "(?=ab)c", "a*", "(?:ab)++c",
                                  "a{2", R"(\p{Klingon})", "[z-a]", "a**", "x{1001}", R"(\q)", "(?>ab)", "^a", ""}) {
    EXPECT_EQ(SplitAutomaton::compile(regex, RegexSyntax::oniguruma), nullptr) << regex;
  }
  std::string nested(5000, '(');
  EXPECT_EQ(SplitAutomaton::compile(nested, RegexSyntax::oniguruma), nullptr);
  EXPECT_EQ(SplitAutomaton::compile("(?:(?:a|b){500}x){500}", RegexSyntax::oniguruma), nullptr);
}

TEST(Splitter, OtherExpressionsAreRunByPcre2) {
  const auto splitter = Splitter::compile(R"((?<=a)b|c*)", "test");
  EXPECT_EQ(all_ends(*splitter, "abbcc\xFF"), (std::vector<size_t>{1, 2, 3, 5, 6}));
  EXPECT_EQ(all_ends(*splitter, "abbcc", 1), (std::vector<size_t>{1, 2, 3, 5}));
  EXPECT_EQ(splitter->next_cut("a b", 1), 3u);
  EXPECT_THROW((void)Splitter::compile("(a", "file.json"), Error);
}

}  // namespace
}  // namespace sesame
