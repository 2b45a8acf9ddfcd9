#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/pipeline/decoder_chain.h"
#include "sesame/text/pipeline/describe_pipeline.h"
#include "sesame/text/pipeline/full_encoder.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

using simdjson::dom::element;

/// tests/golden/generate_pipeline.py says what is in the file.
class Golden {
 public:
  Golden() : text_(read_file("tests/golden/pipeline.json", uint64_t{1} << 24)), root_(parser_.parse(text_)) {}
  [[nodiscard]] const element& root() const { return root_; }

 private:
  simdjson::dom::parser parser_;
  std::string text_;
  element root_;
};

std::string_view string(const element& e) { return std::string_view(e); }

/// The tokenizer.json of the file with some of its parts replaced.
std::string with_parts(const element& root, const element& parts) {
  std::string json;
  for (const auto member : simdjson::dom::object(root["pipeline"])) {
    element value = member.value;
    element replaced;
    if (parts[member.key].get(replaced) == simdjson::SUCCESS) {
      value = replaced.is_string() ? element(root["word_piece"]) : replaced;
    }
    json += fmt::format("{}\"{}\":{}", json.empty() ? "{" : ",", member.key, simdjson::minify(value));
  }
  return json + "}";
}

template <typename T>
void expect_numbers(const element& encoding, std::string_view key, const std::vector<T>& got,
                    const std::string& where) {
  element wanted;
  if (encoding[key].get(wanted) != simdjson::SUCCESS) return;
  std::vector<int64_t> numbers;
  for (const int64_t n : simdjson::dom::array(wanted)) numbers.push_back(n);
  EXPECT_EQ(std::vector<int64_t>(got.begin(), got.end()), numbers) << key << " of " << where;
}

void expect_encoding(const element& wanted, const Encoding& got, const std::vector<std::string>& texts,
                     const std::string& where) {
  expect_numbers(wanted, "ids", got.ids, where);
  expect_numbers(wanted, "type_ids", got.type_ids, where);
  expect_numbers(wanted, "words", got.words, where);
  expect_numbers(wanted, "sequences", got.sequences, where);
  expect_numbers(wanted, "special", got.special_tokens_mask, where);
  expect_numbers(wanted, "attention", got.attention_mask, where);
  std::vector<uint64_t> offsets;
  for (size_t i = 0; i < got.offsets.size(); ++i) {
    TextSpan span = got.offsets[i];
    if (got.sequences[i] >= 0) span = code_point_offsets(texts[got.sequences[i] == 1 ? 1 : 0], {&span, 1}).front();
    offsets.push_back(span.begin);
    offsets.push_back(span.end);
  }
  expect_numbers(wanted, "offsets", offsets, where);
  simdjson::dom::array overflowing;
  if (wanted["overflowing"].get(overflowing) != simdjson::SUCCESS) return;
  ASSERT_EQ(got.overflowing.size(), overflowing.size()) << where;
  size_t i = 0;
  for (const element window : overflowing) expect_encoding(window, got.overflowing[i++], texts, where + " overflowing");
}

TEST(PipelineGolden, EncodesAsHuggingFace) {
  const Golden golden;
  for (const element c : simdjson::dom::array(golden.root()["encoded"])) {
    const std::string json = with_parts(golden.root(), c["parts"]);
    const Tokenizer tokenizer(parse_tokenizer_json(json, "golden"), "golden");
    EncodeOptions options;
    options.parse_special = true;
    options.add_special = bool(c["add_special"]);
    options.truncate_and_pad = true;
    simdjson::dom::array encodings = c["encodings"];
    auto wanted = encodings.begin();
    ASSERT_EQ(encodings.size(), simdjson::dom::array(c["texts"]).size());
    for (const element given : simdjson::dom::array(c["texts"])) {
      std::vector<std::string> texts;
      for (const element text : simdjson::dom::array(given)) texts.emplace_back(string(text));
      const auto pair = texts.size() > 1 ? std::optional<std::string_view>(texts[1]) : std::nullopt;
      const std::string where = fmt::format("'{}' by {}", texts[0], simdjson::minify(element(c["parts"])));
      const Encoding encoding = tokenizer.encode_full(texts[0], pair, options);
      expect_encoding(*wanted, encoding, texts, where);
      if (!pair && !tokenizer.spec().truncation && !tokenizer.spec().padding) {
        EXPECT_EQ(tokenizer.encode(texts[0], options), encoding.ids) << where;
      }
      ++wanted;
    }
  }
}

TEST(PipelineGolden, DecodesAsHuggingFace) {
  const Golden golden;
  for (const element c : simdjson::dom::array(golden.root()["decoded"])) {
    const element decoder = c["decoder"];
    const std::string json = with_parts(golden.root(), c);
    const TokenizerSpec spec = parse_tokenizer_json(json, "golden");
    const DecoderChain chain(spec.decoders, "golden", DecoderChain::InvalidBytes::replace);
    simdjson::dom::array texts = c["texts"];
    auto wanted = texts.begin();
    for (const element list : simdjson::dom::array(golden.root()["tokens"])) {
      std::vector<std::string_view> tokens;
      for (const element token : simdjson::dom::array(list)) tokens.push_back(string(token));
      if (!(wanted != texts.end())) break;  // of no tokens the library's BPEDecoder makes an error
      EXPECT_EQ(chain.decode(tokens), string(*wanted)) << simdjson::minify(decoder);
      ++wanted;
    }
  }
}

TEST(PipelineGolden, EveryStageIsWrittenAsItIsRead) {
  const Golden golden;
  for (const char* list : {"encoded", "decoded"}) {
    for (const element c : simdjson::dom::array(golden.root()[list])) {
      element parts = c;
      if (c["parts"].error() == simdjson::SUCCESS) parts = c["parts"];
      const std::string written = format_tokenizer_json(parse_tokenizer_json(with_parts(golden.root(), parts), "a"));
      EXPECT_EQ(format_tokenizer_json(parse_tokenizer_json(written, "b")), written);
      EXPECT_NE(describe_pipeline(parse_tokenizer_json(written, "c")), "");
    }
  }
}

TEST(FullEncoder, BatchesArePaddedToTheLongest) {
  TokenizerSpec spec;
  spec.vocabulary = {{"[UNK]", 0}, {"a", 1}};
  spec.model = model::WordLevel{"[UNK]"};
  spec.pre_tokenizers = {pre_tokenizer::WhitespaceSplit{}};
  spec.padding.emplace();
  spec.padding->pad_id = 1;
  const Tokenizer tokenizer(spec, "test");
  EncodeOptions options;
  options.truncate_and_pad = true;
  const std::vector<std::string_view> texts = {"a", "a a x", ""};
  const std::vector<Encoding> batch = tokenizer.encode_full_batch(texts, options);
  ASSERT_EQ(batch.size(), 3u);
  for (const Encoding& e : batch) EXPECT_EQ(e.ids.size(), 3u);
  EXPECT_EQ(batch[0].attention_mask, (std::vector<uint8_t>{1, 0, 0}));
  EXPECT_EQ(batch[1].ids, (std::vector<int32_t>{1, 1, 0}));
  EXPECT_EQ(batch[2].attention_mask, (std::vector<uint8_t>{0, 0, 0}));
}

TEST(FullEncoder, OffsetsAreBytesAlsoBesideBytesThatAreNotUtf8) {
  TokenizerSpec spec;
  spec.vocabulary = {{"[UNK]", 0}};
  spec.model = model::WordLevel{"[UNK]"};
  spec.pre_tokenizers = {pre_tokenizer::WhitespaceSplit{}};
  const std::string text = "\xFF\xC3\xA9 x\xE4\xB8";
  const Encoding encoding = Tokenizer(spec, "test").encode_full(text, std::nullopt, {});
  EXPECT_EQ(encoding.offsets, (std::vector<TextSpan>{{0, 3}, {4, 7}}));
  EXPECT_EQ(code_point_offsets(text, encoding.offsets), (std::vector<TextSpan>{{0, 2}, {3, 6}}));
}

TEST(FullEncoder, SentencePieceSurfaces) {
  using Piece = model::PieceType;
  TokenizerSpec spec;
  model::SentencePiece model;
  model.type = model::SentencePiece::Type::bpe;
  model.byte_fallback = true;
  model.bos_id = model.eos_id = -1;
  const std::vector<std::pair<std::string, Piece>> pieces = {{"<unk>", Piece::unknown}, {"\u2581", Piece::normal},
                                                             {"a", Piece::normal},      {"<0xC3>", Piece::byte},
                                                             {"<0xA9>", Piece::byte},   {"\u2581a", Piece::normal}};
  for (const auto& [text, type] : pieces) {
    spec.vocabulary.push_back({text, static_cast<int32_t>(spec.vocabulary.size())});
    model.scores.push_back(-static_cast<float>(model.scores.size()));
    model.types.push_back(type);
  }
  spec.model = model;
  spec.normalizers = {normalizer::SentencePiece{}};
  const Encoding encoding = Tokenizer(spec, "test").encode_full("  a  \u00E9a", std::nullopt, {});
  EXPECT_EQ(encoding.ids, (std::vector<int32_t>{5, 1, 3, 4, 2}));
  EXPECT_EQ(encoding.offsets, (std::vector<TextSpan>{{2, 3}, {3, 5}, {5, 5}, {5, 7}, {7, 8}}));
}

}  // namespace
}  // namespace sesame
