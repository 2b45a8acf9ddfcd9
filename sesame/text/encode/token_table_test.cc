#include "sesame/text/encode/token_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/files/image.h"

namespace sesame {
namespace {

TokenizerSpec spec_of(const std::vector<std::string>& tokens, std::vector<decoder::Step> decoders) {
  TokenizerSpec spec;
  for (const std::string& token : tokens) {
    spec.vocabulary.push_back({token, static_cast<int32_t>(2 * spec.vocabulary.size())});  // every other id is a hole
  }
  spec.decoders = std::move(decoders);
  return spec;
}

AddedToken special(std::string content, int32_t id) {
  AddedToken token;
  token.content = std::move(content);
  token.id = id;
  token.special = true;
  return token;
}

std::string decode(const TokenTable& table, const std::vector<int32_t>& ids, bool skip_special = true) {
  std::string text = "before:";
  table.decode(ids, skip_special, text);
  return text.substr(7);
}

/// The obvious form.
std::string decode_slowly(const TokenTable& table, const std::vector<int32_t>& ids, bool skip_special) {
  std::string text;
  bool first = true;
  for (const int32_t id : ids) {
    if (skip_special && table.special(id)) continue;
    if (!first && table.start().spaced) text += ' ';
    text += first ? table.first_bytes(id) : std::string(table.bytes(id));
    first = false;
  }
  const auto limit = static_cast<size_t>(table.start().strip_count);
  size_t strip = 0;
  while (strip < std::min(limit, text.size()) && text[strip] == table.start().strip) ++strip;
  return text.substr(strip);
}

TokenizerSpec byte_level_spec() {
  std::mt19937 random(1);
  std::vector<std::string> tokens;
  for (size_t size = 1; size < 80; ++size) {
    std::string bytes(size, 'x');
    for (char& c : bytes) c = static_cast<char>(static_cast<uint8_t>(random()));
    tokens.push_back(spell_bytes(bytes));
  }
  TokenizerSpec spec = spec_of(tokens, {decoder::ByteLevel{}});
  spec.added_tokens = {special("<s>", 1), special("\u00E9", 3)};
  return spec;
}

TEST(TokenTable, DecodesManyTokensAsOneByOne) {
  const TokenTable table(byte_level_spec(), "test");
  ASSERT_TRUE(table.compiled());
  std::mt19937 random(2);
  for (const size_t count : {0u, 1u, 2u, 511u, 512u, 513u, 514u, 9000u}) {
    std::vector<int32_t> ids;
    for (size_t i = 0; i < count; ++i) {
      ids.push_back(random() % 8 == 0 ? 1 + 2 * static_cast<int32_t>(random() % 2)
                                      : 2 * static_cast<int32_t>(random() % 79));
    }
    for (const bool skip : {false, true}) EXPECT_EQ(decode(table, ids, skip), decode_slowly(table, ids, skip)) << count;
  }
  EXPECT_EQ(decode(table, {3}, false), "\u00E9");  // an added token is text
}

decoder::Replace replacement(std::string_view text, std::string_view content) {
  decoder::Replace step;
  step.pattern.text = text;
  step.content = content;
  return step;
}

TEST(TokenTable, StartsOfTexts) {
  const std::string mark = "\u2581";
  const TokenTable llama(spec_of({mark + "a", mark, "b", mark + mark},
                                 {replacement(mark, " "), decoder::Fuse{}, decoder::Strip{" ", 1, 0}}),
                         "test");
  EXPECT_EQ(decode(llama, {0, 0, 4}), "a ab");
  EXPECT_EQ(decode(llama, {6, 0}), "  a");
  const TokenTable metaspace(spec_of({mark + "a", mark, "b"}, {decoder::Metaspace{}}), "test");
  EXPECT_EQ(decode(metaspace, {0, 0, 4}), "a ab");
  EXPECT_EQ(decode(metaspace, {2, 0}), " a");
  const TokenTable plain(spec_of({"a", "b"}, {}), "test");
  EXPECT_EQ(decode(plain, {0, 2, 2}), "a b b");
  const TokenTable pieces(spec_of({"a", "##b", "."}, {decoder::WordPiece{}}), "test");
  EXPECT_EQ(decode(pieces, {0, 2, 4, 0}), "ab. a");
}

TEST(TokenTable, DecodersThatSeeSeveralTokensAreNotCompiled) {
  EXPECT_FALSE(TokenTable(spec_of({"a"}, {decoder::Fuse{}, replacement("ab", "")}), "test").compiled());
  EXPECT_FALSE(TokenTable(spec_of({"a"}, {decoder::Ctc{}}), "test").compiled());
}

TEST(TokenTable, FindsSpellings) {
  const TokenTable table(byte_level_spec(), "test");
  for (int32_t id = 0; id < table.size(); ++id) {
    if (!table.contains(id)) continue;
    EXPECT_EQ(table.find(table.spelling(id)), id);
  }
  EXPECT_EQ(table.find("<s>"), 1);
  EXPECT_EQ(table.find("<S>"), std::nullopt);
  EXPECT_EQ(table.find(""), std::nullopt);
  EXPECT_FALSE(table.contains(5));
  EXPECT_THROW(table.check(5), Error);
  EXPECT_THROW(table.check(-1), Error);
  EXPECT_THROW(table.check(table.size()), Error);
  EXPECT_THROW(decode(table, {0, 5}), Error);
  EXPECT_THROW(decode(table, {5}), Error);
}

TEST(TokenTable, TokensThatCollideAreErrors) {
  TokenizerSpec spec = spec_of({"a", "b"}, {});
  spec.added_tokens = {special("a", 2)};
  EXPECT_THROW(TokenTable(spec, "test"), Error);
  spec.added_tokens = {special("a", 1)};
  EXPECT_THROW(TokenTable(spec, "test"), Error);
  spec.added_tokens = {special("a", 0)};
  EXPECT_TRUE(TokenTable(spec, "test").special(0));
  spec.vocabulary.push_back({"a", 7});
  EXPECT_THROW(TokenTable(spec, "test"), Error);
  EXPECT_THROW(TokenTable(TokenizerSpec{}, "test"), Error);
  TokenizerSpec huge;
  huge.vocabulary = {{"a", max_token_id + 1}};
  EXPECT_THROW(TokenTable(huge, "test"), Error);
}

/// An image at an address that 64 divides.
struct AlignedImage {
  std::shared_ptr<std::vector<std::byte>> memory;
  std::span<const std::byte> bytes;

  explicit AlignedImage(const std::string& file) : memory(std::make_shared<std::vector<std::byte>>(file.size() + 64)) {
    const size_t skip = (64 - reinterpret_cast<uintptr_t>(memory->data()) % 64) % 64;
    std::memcpy(memory->data() + skip, file.data(), file.size());
    bytes = {memory->data() + skip, file.size()};
  }
};

TEST(TokenTable, ComesBackFromAnImage) {
  TokenizerSpec spec = byte_level_spec();
  for (const bool metaspace : {false, true}) {
    if (metaspace) spec.decoders = {decoder::Metaspace{}};
    const TokenTable table(spec, "test");
    ImageWriter writer;
    table.write(writer);
    const AlignedImage image(writer.finish());
    const TokenTable again(ImageReader(image.bytes, image.memory, "image"));
    ASSERT_EQ(again.size(), table.size());
    EXPECT_EQ(again.compiled(), table.compiled());
    EXPECT_EQ(again.start().drop, table.start().drop);
    for (int32_t id = 0; id < table.size(); ++id) {
      EXPECT_EQ(again.spelling(id), table.spelling(id));
      EXPECT_EQ(again.bytes(id), table.bytes(id));
      EXPECT_EQ(again.first_bytes(id), table.first_bytes(id));
      EXPECT_EQ(again.special(id), table.special(id));
      EXPECT_EQ(again.find(table.spelling(id)), table.find(table.spelling(id)));
    }
  }
}

TEST(TokenTable, ImagesThatDoNotHoldTogetherAreErrors) {
  struct Entry {
    uint32_t begin;
    uint32_t size;
  };
  struct Start {
    int32_t count = 0;
    uint8_t flags[4] = {' ', 0, 0, 1};
  };
  const auto load = [](std::vector<Entry> entries, std::vector<uint32_t> begins, std::vector<StringIndex::Slot> slots) {
    ImageWriter writer;
    const std::vector<char> bytes(20, 'x');
    const Start start;
    writer.add("tokens.entries", std::span<const Entry>(entries));
    writer.add("tokens.first", std::span<const Entry>());
    writer.add("tokens.bytes", std::span<const char>(bytes));
    writer.add("tokens.spellings", std::span<const char>(bytes.data(), 4));
    writer.add("tokens.begins", std::span<const uint32_t>(begins));
    writer.add("tokens.index", std::span<const StringIndex::Slot>(slots));
    writer.add("tokens.start", std::span<const Start>(&start, 1));
    writer.add("tokens.drop", std::span<const char>());
    const AlignedImage image(writer.finish());
    return TokenTable(ImageReader(image.bytes, image.memory, "image"));
  };
  const uint32_t present = uint32_t{1} << 31;
  const std::vector<StringIndex::Slot> free_slots(2);
  EXPECT_EQ(load({{0, 4 | present}}, {0, 4}, free_slots).bytes(0), "xxxx");
  EXPECT_THROW(load({}, {0}, free_slots), Error);
  EXPECT_THROW(load({{0, 5 | present}}, {0, 4}, free_slots), Error);
  EXPECT_THROW(load({{UINT32_MAX, 1 | present}}, {0, 4}, free_slots), Error);
  EXPECT_THROW(load({{0, 4 | present}}, {0, 5}, free_slots), Error);
  EXPECT_THROW(load({{0, 4 | present}}, {1, 4}, free_slots), Error);
  EXPECT_THROW(load({{0, 1}, {0, 1}}, {0, 5, 4}, free_slots), Error);
  EXPECT_THROW(load({{0, 4 | present}}, {0, 4}, std::vector<StringIndex::Slot>(3)), Error);
  EXPECT_THROW(load({{0, 4 | present}}, {0, 4}, {{0, 0}, {0, 0}}), Error);
  EXPECT_THROW(load({{0, 4 | present}}, {0, 4}, {{0, 1}, {0, StringIndex::none}}), Error);
}

}  // namespace
}  // namespace sesame
