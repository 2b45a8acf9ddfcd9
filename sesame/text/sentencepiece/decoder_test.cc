#include "sesame/text/sentencepiece/decoder.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/sentencepiece/charsmap.h"

namespace sesame {
namespace {

/// 0 <unk>, 1 <s>, 2 a space symbol, 3 one and "a", 4 "b", 5 "b", a space symbol, "c", from 6 on the bytes.
TokenizerSpec make_spec(bool remove_extra_whitespaces) {
  TokenizerSpec spec;
  model::SentencePiece model;
  const std::string mark(space_symbol);
  const auto add = [&](const std::string& piece, model::PieceType type) {
    spec.vocabulary.push_back({piece, static_cast<int32_t>(spec.vocabulary.size())});
    model.types.push_back(type);
    model.scores.push_back(0);
  };
  add("<unk>", model::PieceType::unknown);
  add("<s>", model::PieceType::control);
  for (const std::string& piece : {mark, mark + "a", std::string("b"), "b" + mark + "c"}) {
    add(piece, model::PieceType::normal);
  }
  for (int byte = 0; byte < 256; ++byte) add(byte_token(static_cast<uint8_t>(byte)), model::PieceType::byte);
  model.byte_fallback = true;
  spec.model = model;
  normalizer::SentencePiece normalizer;
  normalizer.remove_extra_whitespaces = remove_extra_whitespaces;
  spec.normalizers.emplace_back(normalizer);
  return spec;
}

std::vector<int32_t> bytes(std::string_view text) {
  std::vector<int32_t> ids;
  for (const char c : text) ids.push_back(6 + static_cast<uint8_t>(c));
  return ids;
}

std::string decoded(const SentencePieceDecoder& decoder, const std::vector<int32_t>& ids) {
  return decoder.decode(ids);
}

std::string decoded_one_by_one(const SentencePieceDecoder& decoder, const std::vector<int32_t>& ids) {
  std::string text;
  SentencePieceDecoder::Stream stream(decoder);
  for (const int32_t id : ids) stream.push(id, text);
  stream.finish(text);
  return text;
}

TEST(SentencePieceDecoder, TakesOffWhatTheNormalizerPutInFront) {
  const SentencePieceDecoder one(make_spec(false), "test");
  EXPECT_EQ(decoded(one, {3, 3}), "a a");
  EXPECT_EQ(decoded(one, {2, 2, 3}), "  a");
  EXPECT_EQ(decoded(one, {1, 3, 5}), "ab c");
  const SentencePieceDecoder all(make_spec(true), "test");
  EXPECT_EQ(decoded(all, {2, 2, 3, 2}), "a ");
  EXPECT_EQ(decoded(all, {1, 2, 4, 3}), "b a");
}

TEST(SentencePieceDecoder, UnknownAndControlPieces) {
  const SentencePieceDecoder decoder(make_spec(false), "test");
  EXPECT_EQ(decoded(decoder, {0, 4, 1, 4}), " \xE2\x81\x87 bb");
  EXPECT_THROW(decoded(decoder, {1000}), Error);
  EXPECT_THROW(decoded(decoder, {-1}), Error);
}

TEST(SentencePieceDecoder, BytesBecomeCharactersOrReplacementCharacters) {
  const SentencePieceDecoder decoder(make_spec(false), "test");
  EXPECT_EQ(decoded(decoder, bytes("\xE7\x9A\x84!")), "\xE7\x9A\x84!");
  EXPECT_EQ(decoded(decoder, bytes("\xE7\x9A!")), "\xEF\xBF\xBD\xEF\xBF\xBD!");
  EXPECT_EQ(decoded(decoder, bytes("\xFF\xC3")), "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(SentencePieceDecoder, AStreamGivesWhatIsCertain) {
  const SentencePieceDecoder decoder(make_spec(false), "test");
  SentencePieceDecoder::Stream stream(decoder);
  std::string out;
  stream.push(3, out);
  EXPECT_EQ(out, "a");
  for (const int32_t id : bytes("\xF0\x9F\x98")) stream.push(id, out);
  EXPECT_EQ(out, "a");
  stream.push(bytes("\x80")[0], out);
  EXPECT_EQ(out, "a\xF0\x9F\x98\x80");
  stream.push(bytes("\xC3")[0], out);
  stream.push(4, out);
  EXPECT_EQ(out,
            "a\xF0\x9F\x98\x80\xEF\xBF\xBD"
            "b");
  stream.push(bytes("\xE2")[0], out);
  stream.finish(out);
  EXPECT_EQ(out,
            "a\xF0\x9F\x98\x80\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");

  SentencePieceDecoder::Stream next(decoder, true);
  out.clear();
  next.push(3, out);
  EXPECT_EQ(out, " a");
}

TEST(SentencePieceDecoder, LongTextsAreWhatTheirTokensAre) {
  std::mt19937 random(1);
  TokenizerSpec denormalizing = make_spec(false);
  std::get<model::SentencePiece>(denormalizing.model).denormalizer_charsmap = compile_charsmap({{"ab", "X"}});
  for (const TokenizerSpec& spec : {make_spec(false), make_spec(true), denormalizing}) {
    const SentencePieceDecoder decoder(spec, "test");
    for (int round = 0; round < 40; ++round) {
      std::vector<int32_t> ids;
      // Prefixes and control pieces first, then few bytes or many.
      for (uint32_t i = random() % 4; i > 0; --i) ids.push_back(static_cast<int32_t>(random() % 3));
      const uint32_t rare = 1 + random() % 200;
      while (ids.size() < 5000)
        ids.push_back(static_cast<int32_t>(random() % rare == 0 ? random() % 262 : random() % 6));
      ASSERT_EQ(decoded(decoder, ids), decoded_one_by_one(decoder, ids)) << round;
      ids[random() % ids.size()] = 262;
      ASSERT_THROW(decoded(decoder, ids), Error);
    }
  }
}

/// Of a piece that is half a character, 262; one that is whole, 263; one that is long, 264; added tokens, 265 and 267.
TokenizerSpec make_spec_with_odd_pieces(bool remove_extra_whitespaces) {
  TokenizerSpec spec = make_spec(remove_extra_whitespaces);
  auto& model = std::get<model::SentencePiece>(spec.model);
  for (const char* piece : {"\xA9", "\xE7\x9A\x84", "a long piece of sixteen bytes and more"}) {
    spec.vocabulary.push_back({piece, static_cast<int32_t>(spec.vocabulary.size())});
    model.types.push_back(model::PieceType::normal);
    model.scores.push_back(0);
  }
  for (const int32_t id : {265, 267}) {
    AddedToken added;
    added.content = id == 265 ? "\xC3" : "<x>";
    added.id = id;
    spec.added_tokens.push_back(added);
  }
  return spec;
}

TEST(SentencePieceDecoder, LongTextsOfBytesAreWhatTheirTokensAre) {
  std::mt19937 random(2);
  for (const bool remove_extra_whitespaces : {false, true}) {
    const SentencePieceDecoder decoder(make_spec_with_odd_pieces(remove_extra_whitespaces), "test");
    for (int round = 0; round < 400; ++round) {
      std::vector<int32_t> ids;
      const auto add = [&](std::string_view text) {
        for (const int32_t id : bytes(text)) ids.push_back(id);
      };
      for (uint32_t i = random() % 4; i > 0; --i) ids.push_back(static_cast<int32_t>(random() % 6));
      // Seldom or often: characters that are cut, any bytes, pieces. Else characters of all lengths.
      const uint32_t cut = 1 + random() % 2000;
      const uint32_t any = 1 + random() % 2000;
      const uint32_t piece = 1 + random() % 50;
      while (ids.size() < 4096 + random() % 600) {
        const std::string_view characters[] = {"\n", "\u00E9", "\u7684", "\uD7FF", "\U0001F600", "\U0010FFFF"};
        const std::string_view character = characters[random() % std::size(characters)];
        if (random() % cut == 0) add(character.substr(random() % 2, random() % 4));
        if (random() % any == 0) ids.push_back(6 + static_cast<int32_t>(random() % 256));
        constexpr int32_t odd[] = {0, 1, 5, 262, 263, 263, 264, 265, 267};
        if (random() % piece == 0) ids.push_back(odd[random() % std::size(odd)]);
        add(character);
      }
      ASSERT_EQ(decoded(decoder, ids), decoded_one_by_one(decoder, ids)) << round;
      ids[random() % ids.size()] = random() % 2 == 0 ? 266 : 268;
      ASSERT_THROW(decoded(decoder, ids), Error);
    }
  }
}

TEST(SentencePieceDecoder, DenormalizesTheWholeText) {
  TokenizerSpec spec = make_spec(false);
  std::get<model::SentencePiece>(spec.model).denormalizer_charsmap = compile_charsmap({{"ab", "X"}, {" ", "_"}});
  EXPECT_EQ(decoded(SentencePieceDecoder(spec, "test"), {3, 4, 3}), "X_a");
}

}  // namespace
}  // namespace sesame
