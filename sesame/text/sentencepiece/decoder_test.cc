#include "sesame/text/sentencepiece/decoder.h"

#include <gtest/gtest.h>

#include <cstdint>
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

TEST(SentencePieceDecoder, TakesOffWhatTheNormalizerPutInFront) {
  const SentencePieceDecoder one(make_spec(false), "test");
  EXPECT_EQ(one.decode(std::vector<int32_t>{3, 3}), "a a");
  EXPECT_EQ(one.decode(std::vector<int32_t>{2, 2, 3}), "  a");
  EXPECT_EQ(one.decode(std::vector<int32_t>{1, 3, 5}), "ab c");
  const SentencePieceDecoder all(make_spec(true), "test");
  EXPECT_EQ(all.decode(std::vector<int32_t>{2, 2, 3, 2}), "a ");
  EXPECT_EQ(all.decode(std::vector<int32_t>{1, 2, 4, 3}), "b a");
}

TEST(SentencePieceDecoder, UnknownAndControlPieces) {
  const SentencePieceDecoder decoder(make_spec(false), "test");
  EXPECT_EQ(decoder.decode(std::vector<int32_t>{0, 4, 1, 4}), " \xE2\x81\x87 bb");
  EXPECT_THROW(decoder.decode(std::vector<int32_t>{1000}), Error);
  EXPECT_THROW(decoder.decode(std::vector<int32_t>{-1}), Error);
}

TEST(SentencePieceDecoder, BytesBecomeCharactersOrReplacementCharacters) {
  const SentencePieceDecoder decoder(make_spec(false), "test");
  EXPECT_EQ(decoder.decode(bytes("\xE7\x9A\x84!")), "\xE7\x9A\x84!");
  EXPECT_EQ(decoder.decode(bytes("\xE7\x9A!")), "\xEF\xBF\xBD\xEF\xBF\xBD!");
  EXPECT_EQ(decoder.decode(bytes("\xFF\xC3")), "\xEF\xBF\xBD\xEF\xBF\xBD");
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

TEST(SentencePieceDecoder, DenormalizesTheWholeText) {
  TokenizerSpec spec = make_spec(false);
  std::get<model::SentencePiece>(spec.model).denormalizer_charsmap = compile_charsmap({{"ab", "X"}, {" ", "_"}});
  EXPECT_EQ(SentencePieceDecoder(spec, "test").decode(std::vector<int32_t>{3, 4, 3}), "X_a");
}

}  // namespace
}  // namespace sesame
