#include "sesame/text/sentencepiece/charsmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/sentencepiece/precompiled_normalizer.h"

namespace sesame {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const CharsmapRules rules = {
    {"a", "b"},     {"ab", "c"}, {"abcd", ""}, {"\xC3\xA9", "e"}, {"\xC3\xA9\xCC\x81", "E"}, {"\xE3\x80\x80", " "},
    {"\xFF", "ff"}, {"z", "b"}};

std::string normalize(const Charsmap& map, std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Charsmap::Match match = map.longest_prefix(text);
    out += match.length > 0 ? match.replacement : text.substr(0, 1);
    text.remove_prefix(std::max<size_t>(match.length, 1));
  }
  return out;
}

TEST(Charsmap, FindsTheLongestAndTheShortestKey) {
  const Charsmap map(compile_charsmap(rules), "map");
  EXPECT_EQ(map.longest_prefix("abce").length, 2U);
  EXPECT_EQ(map.longest_prefix("abce").replacement, "c");
  EXPECT_EQ(map.longest_prefix("abcde").length, 4U);
  EXPECT_EQ(map.longest_prefix("abcde").replacement, "");
  EXPECT_EQ(map.shortest_prefix("abcde").length, 1U);
  EXPECT_EQ(map.shortest_prefix("abcde").replacement, "b");
  EXPECT_EQ(map.longest_prefix("b").length, 0U);
  EXPECT_EQ(map.longest_prefix("").length, 0U);
  EXPECT_EQ(map.longest_prefix(std::string_view("\0a", 2)).length, 0U);
  EXPECT_EQ(map.longest_prefix(std::string_view("a\0bcd", 5)).length, 1U);
  EXPECT_TRUE(map.begins_key('z'));
  EXPECT_FALSE(map.begins_key('b'));
}

TEST(Charsmap, GivesBackItsRules) {
  const Charsmap map(compile_charsmap(rules), "map");
  CharsmapRules found;
  map.for_each_rule([&](std::string_view key, std::string_view value) { found.emplace(key, value); });
  EXPECT_EQ(found, rules);
  EXPECT_TRUE(Charsmap("", "map").empty());
  EXPECT_EQ(compile_charsmap({}), "");
}

TEST(Charsmap, RefusesRulesThatCannotBeWritten) {
  EXPECT_THROW(compile_charsmap({{"", "a"}}), Error);
  EXPECT_THROW(compile_charsmap({{std::string("\0", 1), "a"}}), Error);
  EXPECT_THROW(compile_charsmap({{"a", std::string("\0", 1)}}), Error);
  EXPECT_THROW(make_charsmap("nfd"), Error);
}

TEST(Charsmap, RefusesBytesThatDoNotHoldTogether) {
  const std::string bytes = compile_charsmap(rules);
  for (size_t size = 1; size < bytes.size(); ++size) {
    // Shorter replacements may still end in NUL.
    try {
      [[maybe_unused]] const Charsmap map(std::string_view(bytes).substr(0, size), "map");
      EXPECT_EQ(bytes[size - 1], '\0') << size;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("map: precompiled_charsmap"));
    }
  }
  const auto with_unit = [&](size_t place, uint32_t unit) {
    std::string changed = bytes;
    std::memcpy(changed.data() + 4 + 4 * place, &unit, sizeof unit);
    return changed;
  };
  EXPECT_THAT([&] { Charsmap(with_unit(0, 0x1FFFFF << 10), "map"); },
              ThrowsMessage<Error>(HasSubstr("points to unit")));
  EXPECT_THAT([&] { Charsmap(with_unit(0, uint32_t{1} << 31), "map"); }, ThrowsMessage<Error>(HasSubstr("no root")));
}

/// Whatever its units are, a map that is accepted finds keys inside of itself: an address sanitizer says so.
TEST(Charsmap, DamagedMapsDoNoHarm) {
  const std::string bytes = compile_charsmap(rules);
  uint64_t state = 7;
  const auto next = [&] { return (state = state * 6364136223846793005 + 1442695040888963407) >> 33; };
  size_t accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = bytes;
    for (int changes = 0; changes < 8; ++changes)
      damaged[next() % damaged.size()] ^= static_cast<char>(1 << next() % 8);
    try {
      const Charsmap map(damaged, "map");
      ++accepted;
      normalize(map, "abcdabz\xC3\xA9\xCC\x81\xE3\x80\x80\xFF");
      map.for_each_rule([](std::string_view, std::string_view) {});
    } catch (const Error&) {
      continue;
    }
  }
  EXPECT_GT(accepted, 0U);
}

/// Every rule of SentencePiece's own table as it was in the model's time; the zero width joiner has since become
/// itself.
TEST(Charsmap, MadeTablesHoldWhatPublishedOnesHold) {
  const Charsmap made(make_charsmap("nmt_nfkc"), "nmt_nfkc");
  EXPECT_EQ(normalize(made, "\xEF\xAC\x81\t\x01\xE2\x80\x8B\xEF\xBD\x9E\x41\xCC\x80"), "fi  \xEF\xBD\x9E\xC3\x80");
  const auto path = shared_data("tokenizers/sentencepiece/nai-t5.model");
  if (!path) GTEST_SKIP() << "no shared data";
  const TokenizerSpec spec = read_sentencepiece_model(read_file(*path, 1 << 24), "nai-t5");
  const Charsmap published(std::get<normalizer::SentencePiece>(spec.normalizers.front()).charsmap, "nai-t5");
  size_t count = 0;
  published.for_each_rule([&](std::string_view key, std::string_view replacement) {
    ++count;
    EXPECT_EQ(normalize(made, key), key == "\xE2\x80\x8D" ? key : replacement) << key;
  });
  EXPECT_GT(count, 20000U);
}

TEST(Charsmap, FoldsCase) {
  const Charsmap folded(make_charsmap("nfkc_cf"), "nfkc_cf");
  EXPECT_EQ(normalize(folded, "AB\xC3\x84\t\xE1\xBA\x9E"), "ab\xC3\xA4\t\xC3\x9F");
  EXPECT_EQ(make_charsmap("identity"), "");
}

TEST(PrecompiledNormalizer, ReplacesClustersWholeAndThenCharacters) {
  const PrecompiledNormalizer normalizer(
      compile_charsmap({{"a", "1"}, {"\r", " "}, {"\xE2\x84\xA2", "TM"}, {"\x1E", ""}}), "map");
  EXPECT_EQ(normalizer.apply("bab"), "b1b");
  EXPECT_EQ(normalizer.apply("a\xCC\x81x"), "1x");  // the mark goes with its cluster
  EXPECT_EQ(normalizer.apply("a\xCC\x81\xCC\x81\xCC\x81x"), "1\xCC\x81\xCC\x81\xCC\x81x");  // seven bytes: one by one
  EXPECT_EQ(normalizer.apply("\r\n\n"), " \n");
  EXPECT_EQ(normalizer.apply("\xE2\x84\xA2\x1Eg"), "TMg");
  EXPECT_EQ(normalizer.apply("\xFF"
                             "a\xC3"),
            "\xFF"
            "1\xC3");
}

TEST(PrecompiledNormalizer, SaysWhereEachPartComesFrom) {
  const PrecompiledNormalizer normalizer(compile_charsmap({{"a", "1"}, {"b", ""}}), "map");
  const std::string text = "xxayb";
  std::string seen;
  normalizer.for_each(text, [&](size_t begin, size_t end, std::string_view replacement) {
    seen += std::to_string(begin) + "-" + std::to_string(end) + ":" + std::string(replacement) +
            (replacement.data() == text.data() + begin ? "= " : " ");
  });
  EXPECT_EQ(seen, "0-2:xx= 2-3:1 3-4:y= 4-5: ");
}

}  // namespace
}  // namespace sesame
