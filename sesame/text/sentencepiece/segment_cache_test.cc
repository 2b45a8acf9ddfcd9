#include "sesame/text/sentencepiece/segment_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "sesame/text/sentencepiece/character_cache.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

template <typename Id>
void expect_kept(const std::vector<int32_t>& ids) {
  SegmentIds kept;
  ASSERT_EQ(kept.take<Id>(ids), ids.size() <= SegmentIds::most<Id>);
  if (ids.size() > SegmentIds::most<Id>) return;
  EXPECT_EQ(kept.count, ids.size());
  for (size_t first = 0; first < 2 && first < ids.size(); ++first) {
    std::array<int32_t, SegmentIds::most<Id>> out{};
    kept.write<Id>(first, out.data());
    for (size_t i = first; i < ids.size(); ++i) EXPECT_EQ(out[i - first], ids[i]);
  }
}

TEST(SegmentIds, KeepIdsOfBothWidths) {
  for (size_t count = 1; count < 9; ++count) {
    std::vector<int32_t> narrow;
    std::vector<int32_t> wide;
    for (size_t i = 0; i < count; ++i) {
      narrow.push_back(static_cast<int32_t>(65535 - 77 * i));
      wide.push_back(static_cast<int32_t>(2000000000 - 77 * i));
    }
    expect_kept<uint16_t>(narrow);
    expect_kept<int32_t>(narrow);
    expect_kept<int32_t>(wide);
  }
}

TEST(SegmentIds, KeepAScoreBesideOneId) {
  SegmentIds kept;
  ASSERT_TRUE(kept.take<int32_t>(std::array{70000}));
  kept.set_score(-8.25F);
  EXPECT_EQ(kept.score(), -8.25F);
  std::array<int32_t, SegmentIds::most<int32_t>> out{};
  kept.write<int32_t>(0, out.data());
  EXPECT_EQ(out[0], 70000);
}

SegmentCache::Entry entry_of(std::string_view text, int32_t id) {
  SegmentCache::Entry entry;
  entry.take<int32_t>(std::array{id});
  entry.key = SegmentCache::key_of(text);
  return entry;
}

TEST(SegmentCache, TellsTextsApart) {
  SegmentCache cache(12);
  const std::vector<std::string> texts = {
      std::string(1, '\0'), std::string(2, '\0'), std::string("a\0", 2), "a", "ab", "abcdefg",
      "abcdefgh",           "abcdefghi",          "abcdefghijklmno"};
  for (size_t i = 0; i < texts.size(); ++i) cache.put(entry_of(texts[i], static_cast<int32_t>(i)));
  for (size_t i = 0; i < texts.size(); ++i) {
    const SegmentCache::Key key = SegmentCache::key_of(texts[i]);
    const SegmentCache::Entry* const found = cache.find(key);
    ASSERT_NE(found, nullptr) << texts[i];
    std::array<int32_t, SegmentIds::most<int32_t>> ids{};
    found->write<int32_t>(0, ids.data());
    EXPECT_EQ(ids[0], static_cast<int32_t>(i));
    EXPECT_EQ(cache.find(key.variant(1)), nullptr);
  }
  EXPECT_EQ(cache.find(SegmentCache::key_of("b")), nullptr);
}

TEST(SegmentCache, WhatComesOftenStays) {
  SegmentCache cache(4);
  std::vector<std::string> texts;  // all of one place, which has room for two
  for (int i = 0; texts.size() < 50; ++i) {
    const std::string text = "word" + std::to_string(i);
    const uint32_t place = cache.place_of(SegmentCache::key_of(text));
    if (texts.empty() || place == cache.place_of(SegmentCache::key_of(texts[0]))) texts.push_back(text);
  }
  const auto finds = [&](size_t i) { return cache.find(SegmentCache::key_of(texts[i])) != nullptr; };
  cache.put(entry_of(texts[0], 0));
  for (size_t i = 2; i < texts.size(); ++i) {
    cache.put(entry_of(texts[i], static_cast<int32_t>(i)));
    EXPECT_TRUE(finds(0));
  }
  // Another one that comes again takes the better place.
  cache.put(entry_of(texts[1], 1));
  EXPECT_TRUE(finds(1));
  cache.put(entry_of(texts[2], 2));
  EXPECT_TRUE(finds(1));
  EXPECT_FALSE(finds(0));
}

uint32_t bytes_of(std::string_view character) {
  uint32_t bytes = 0;
  for (size_t i = 0; i < character.size(); ++i) bytes |= uint32_t{static_cast<uint8_t>(character[i])} << (8 * i);
  return bytes;
}

TEST(CharacterCache, EveryCharacterHasItsOwnPlace) {
  for (uint32_t code = 1; code < 0x10000; ++code) {
    if (code == 0xD800) code = 0xE000;  // surrogates are no characters
    std::string character;
    append_utf8(code, character);
    EXPECT_EQ(CharacterCache::place_of(bytes_of(character)), code);
  }
  for (const std::string_view none : {"\xF0\x9F\x98\xB6", "\x80", "\xC3", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80",
                                      "\xE0\x9F\xBF", "\xE4\xBD", "\xE4 \xA0", "\xC3z", "\xFF"}) {
    EXPECT_EQ(CharacterCache::place_of(bytes_of(none)), 0U) << bytes_of(none);
  }
}

}  // namespace
}  // namespace sesame
