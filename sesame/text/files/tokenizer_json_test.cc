#include "sesame/text/files/tokenizer_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

using Ids = std::vector<int32_t>;

Tokenizer parse(std::string_view json) {
  return Tokenizer(parse_tokenizer_json(json, "dir/tokenizer.json"), "dir/tokenizer.json");
}

/// The message of the Error that parsing gives, or nothing.
std::string error_of(std::string_view json) {
  try {
    (void)parse(json);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// A small file with one part replaced.
std::string with(const std::string& key, const std::string& value) {
  std::vector<std::pair<std::string, std::string>> parts = {
      {"version", R"("1.0")"},
      {"truncation", "null"},
      {"padding", "null"},
      {"added_tokens", R"([{"id": 3, "content": "<x>", "special": true}])"},
      {"normalizer", "null"},
      {"pre_tokenizer", "null"},
      {"post_processor", "null"},
      {"decoder", R"({"type": "Fuse"})"},
      {"model", R"({"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]})"}};
  bool known = false;
  std::string json;
  for (auto& [name, text] : parts) {
    if (name == key) {
      text = value;
      known = true;
    }
    json += fmt::format("{}\"{}\": {}", json.empty() ? "{" : ", ", name, text);
  }
  if (!known) json += fmt::format(", \"{}\": {}", key, value);
  return json + "}";
}

void expect_error(const std::string& json, const std::vector<std::string>& parts) {
  const std::string message = error_of(json);
  EXPECT_NE(message, "") << json;
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << message << "\nlacks " << part;
  EXPECT_NE(message.find("dir/tokenizer.json"), std::string::npos) << message;
}

TEST(TokenizerJson, TheSmallFileIsGood) {
  EXPECT_EQ(error_of(with("version", R"("1.0")")), "");
  EXPECT_EQ(parse(with("version", R"("1.0")")).encode("abb"), (Ids{2, 1}));
}

TEST(TokenizerJson, TruncatedFilesAreErrors) {
  const std::string json = with("normalizer", R"({"type": "NFC"})");
  for (size_t size = 0; size < json.size(); ++size) EXPECT_NE(error_of(json.substr(0, size)), "") << size;
}

TEST(TokenizerJson, WhatCannotBeHonouredIsNamed) {
  expect_error(with("normalizer", R"({"type": "Nonesuch"})"), {"normalizer.type", "Nonesuch"});
  expect_error(with("pre_tokenizer", R"({"type": "BertPretokenizer"})"), {"pre_tokenizer.type", "BertPretokenizer"});
  expect_error(with("decoder", R"({"type": "ctc"})"), {"decoder.type", "ctc"});
  expect_error(with("post_processor", R"({"type": "Bert"})"), {"post_processor.type", "Bert"});
  expect_error(with("model", R"({"type": "Morphology", "vocab": []})"), {"model.type", "Morphology"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {}, "merges": [], "dropout": 0.1})"), {"model.dropout"});
  expect_error(with("surprise", "1"), {"surprise"});
  expect_error(with("normalizer", R"({"type": "NFC", "more": 1})"), {"normalizer.more"});
  expect_error(with("pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "(a"}, "behavior": "Isolated"})"),
               {"pre_tokenizer", "(a"});
}

TEST(TokenizerJson, WrongTypesAndValuesNameTheirKey) {
  expect_error("[]", {"object"});
  expect_error("12", {"object"});
  expect_error(with("version", R"("2.0")"), {"version"});
  expect_error(with("model", "[]"), {"model"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": "x"}, "merges": []})"), {"model.vocab.a"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": -1}, "merges": []})"), {"model.vocab.a"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 4000000000}, "merges": []})"),
               {"model.vocab.a", "2097151"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []})"), {"model.vocab.b", "'a'"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 0, "a": 1}, "merges": []})"),
               {"model.vocab.a", "twice"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a c"]})"), {"model.merges[0]", "'c'"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]})"), {"model.merges[0]", "'aa'"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 0}, "merges": ["aa"]})"), {"model.merges[0]"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 0}, "merges": [["a"]]})"), {"model.merges[0]"});
  expect_error(with("model", R"({"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "u"})"),
               {"unk_token", "'u'"});
  expect_error(with("model", R"({"type": "BPE", "merges": []})"), {"model", "vocab"});
  expect_error(with("added_tokens", R"([{"id": 0, "content": "<x>"}])"), {"added_tokens", "<x>"});
  expect_error(with("added_tokens", R"([{"id": 5, "content": "a"}])"), {"added_tokens", "'a'"});
  expect_error(with("added_tokens", R"([{"id": 3, "content": "c"}, {"id": 3, "content": "d"}])"),
               {"added_tokens", "3"});
  expect_error(with("added_tokens", R"([{"id": 99999999, "content": "c"}])"), {"added_tokens[0].id"});
  expect_error(
      with("post_processor", R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "<e>", "type_id": 0}}], "pair": [], "special_tokens": {}})"),
      {"post_processor.special_tokens", "<e>"});
}

TEST(TokenizerJson, OldFilesDoNotNameTypes) {
  const auto model_of = [](const std::string& json) { return parse_tokenizer_json(with("model", json), "a").model; };
  EXPECT_TRUE(std::holds_alternative<model::Bpe>(model_of(R"({"vocab": {"a": 0}, "merges": []})")));
  EXPECT_TRUE(std::holds_alternative<model::WordPiece>(model_of(
      R"({"vocab": {"a": 0}, "unk_token": "a", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9})")));
  EXPECT_TRUE(std::holds_alternative<model::Unigram>(model_of(R"({"vocab": [["a", 0.5]], "unk_id": 0})")));
  EXPECT_TRUE(std::holds_alternative<model::WordLevel>(model_of(R"({"vocab": {"a": 0}, "unk_token": "a"})")));
  const TokenizerSpec spec = parse_tokenizer_json(
      with("post_processor",
           R"({"sep": ["</s>", 1], "cls": ["<s>", 0], "trim_offsets": true, "add_prefix_space": false})"),
      "a");
  ASSERT_EQ(spec.post_processors.size(), 1u);
  EXPECT_FALSE(std::get<post_processor::Roberta>(spec.post_processors[0]).add_prefix_space);
}

TEST(TokenizerJson, LegacyMetaspaceAndMerges) {
  const auto scheme = [](const std::string& fields) {
    const TokenizerSpec spec = parse_tokenizer_json(
        with("pre_tokenizer", R"({"type": "Metaspace", "replacement": "_", "str_rep": "_")" + fields + "}"), "a");
    return std::get<pre_tokenizer::Metaspace>(spec.pre_tokenizers.at(0)).prepend_scheme;
  };
  EXPECT_EQ(scheme(""), pre_tokenizer::PrependScheme::always);
  EXPECT_EQ(scheme(R"(, "add_prefix_space": false)"), pre_tokenizer::PrependScheme::never);
  EXPECT_EQ(scheme(R"(, "prepend_scheme": "first")"), pre_tokenizer::PrependScheme::first);
  EXPECT_THROW(scheme(R"(, "add_prefix_space": false, "prepend_scheme": "first")"), Error);
  const TokenizerSpec spec = parse_tokenizer_json(
      with("model", R"({"type": "BPE", "dropout": 0.0, "some_day": 1, "continuing_subword_prefix": "#",
                        "vocab": {"a": 0, "#b": 1, "ab": 2}, "merges": ["#version: 0.2", "a #b"]})"),
      "a");
  const auto& bpe = std::get<model::Bpe>(spec.model);
  ASSERT_EQ(bpe.merges.size(), 1u);
  EXPECT_EQ(bpe.merges[0].right, 1);
  EXPECT_EQ(bpe.continuing_subword_prefix, "#");
}

TEST(TokenizerJson, TruncationAndPaddingSurviveWriting) {
  std::string json =
      with("truncation", R"({"direction": "Left", "max_length": 9, "strategy": "OnlyFirst", "stride": 2})");
  json.replace(json.find("\"padding\": null"), 15,
               R"("padding": {"strategy": {"Fixed": 12}, "direction": "Left", "pad_to_multiple_of": 8, "pad_id": 1,
                  "pad_type_id": 2, "pad_token": "p"})");
  const TokenizerSpec spec = parse_tokenizer_json(format_tokenizer_json(parse_tokenizer_json(json, "a")), "b");
  EXPECT_EQ(spec.truncation.value().max_length, 9u);
  EXPECT_EQ(spec.truncation->strategy, Truncation::Strategy::only_first);
  EXPECT_EQ(spec.truncation->direction, Direction::left);
  EXPECT_EQ(spec.truncation->stride, 2u);
  EXPECT_EQ(spec.padding.value().fixed_length, 12u);
  EXPECT_EQ(spec.padding->pad_to_multiple_of, 8u);
  EXPECT_EQ(spec.padding->pad_type_id, 2);
  EXPECT_EQ(spec.padding->pad_token, "p");
  expect_error(with("truncation", R"({"max_length": 1e30})"), {"truncation.max_length"});
  expect_error(with("truncation", R"({"max_length": 5, "direction": "right"})"), {"truncation.direction"});
  expect_error(with("padding", R"({"strategy": {"Fixed": 99999999999}, "pad_id": 0})"), {"padding.strategy.Fixed"});
}

TEST(TokenizerJson, BrokenStagesNameTheirKey) {
  expect_error(with("normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "AB*="})"),
               {"precompiled_charsmap"});
  expect_error(with("normalizer", R"({"type": "BertNormalizer", "lowercase": 1})"), {"normalizer.lowercase"});
  expect_error(with("pre_tokenizer", R"({"type": "CharDelimiterSplit", "delimiter": "ab"})"), {"delimiter"});
  expect_error(with("pre_tokenizer", R"({"type": "FixedLength", "length": 0})"), {"length"});
  expect_error(with("post_processor", R"({"type": "BertProcessing", "sep": ["s"], "cls": ["c", 1]})"), {"sep"});
  expect_error(with("post_processor", R"({"type": "BertProcessing", "sep": ["s", 77], "cls": ["a", 0]})"), {"77"});
  expect_error(with("model", R"({"type": "Unigram", "vocab": [["a", "b"]]})"), {"model.vocab[0][1]"});
  expect_error(with("model", R"({"type": "Unigram", "vocab": [["a", 0.5]], "unk_id": 1})"), {"model.unk_id"});
  expect_error(with("model", R"({"type": "Unigram", "vocab": {"a": 0}})"), {"model.vocab"});
}

TEST(TokenizerJson, DeepNestingIsAnError) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += R"({"type": "Sequence", "normalizers": [)";
  expect_error(with("normalizer", deep), {});
  std::string closed = R"({"type": "NFC"})";
  for (int i = 0; i < 100; ++i) closed = R"({"type": "Sequence", "normalizers": [)" + closed + "]}";
  expect_error(with("normalizer", closed), {"nested deeper"});
}

TEST(Normalizer, PrependsToTextOnly) {
  const Tokenizer t = parse(with("normalizer", R"({"type": "Sequence", "normalizers": [
      {"type": "Strip", "strip_left": true, "strip_right": true}, {"type": "Prepend", "prepend": "a"}]})"));
  EXPECT_EQ(t.encode(" b\u3000"), (Ids{2}));
  EXPECT_TRUE(t.encode(" \n").empty());
}

TEST(TokenizerJson, EveryStageSurvivesWriting) {
  const std::string json =
      with("normalizer",
           R"({"type": "Sequence", "normalizers": [{"type": "NFKD"}, {"type": "Lowercase"}, {"type": "StripAccents"},
      {"type": "Strip", "strip_left": true, "strip_right": false}, {"type": "Prepend", "prepend": "b"},
      {"type": "Replace", "pattern": {"Regex": "x+"}, "content": "\"\\\n"}]})");
  const TokenizerSpec spec = parse_tokenizer_json(json, "a");
  const std::string written = format_tokenizer_json(spec);
  EXPECT_EQ(spec.normalizers.size(), 6u);
  EXPECT_EQ(format_tokenizer_json(parse_tokenizer_json(written, "b")), written);
  const std::string stages =
      with("pre_tokenizer", R"({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true},
      {"type": "Split", "pattern": {"String": "-"}, "behavior": "MergedWithNext", "invert": true},
      {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": false}]})");
  const std::string again = format_tokenizer_json(parse_tokenizer_json(stages, "a"));
  EXPECT_EQ(format_tokenizer_json(parse_tokenizer_json(again, "b")), again);
  EXPECT_NE(again.find("MergedWithNext"), std::string::npos);
  EXPECT_NE(again.find("\"first\""), std::string::npos);
}

/// Pieces as a WordLevel model sees them, told apart by their ids.
Ids ids_of_pieces(const std::string& pre_tokenizer, const std::string& text) {
  std::string json = with("pre_tokenizer", pre_tokenizer);
  const std::string from = json.substr(json.find("\"model\""));
  const std::string model =
      R"("model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1, "-": 2, "a-": 4, "-a": 5, "--": 6, "a-a": 7, "\u2581a": 8, "\u2581": 9, "12": 10, "1": 11, "2": 12}}})";
  return parse(json.replace(json.find(from), from.size(), model)).encode(text);
}

std::string split_at_dash(const std::string& behavior, const std::string& invert = "false") {
  return R"({"type": "Split", "pattern": {"String": "-"}, "behavior": ")" + behavior + R"(", "invert": )" + invert +
         "}";
}

// Expected pieces follow the examples in Hugging Face's documentation of SplitDelimiterBehavior
// ("the-final--countdown").
TEST(PreTokenizer, SplitBehaviors) {
  EXPECT_EQ(ids_of_pieces(split_at_dash("Isolated"), "a-a--a"), (Ids{1, 2, 1, 2, 2, 1}));
  EXPECT_EQ(ids_of_pieces(split_at_dash("Removed"), "a-a--a"), (Ids{1, 1, 1}));
  EXPECT_EQ(ids_of_pieces(split_at_dash("Removed", "true"), "a-a--a"), (Ids{2, 2, 2}));
  EXPECT_EQ(ids_of_pieces(split_at_dash("MergedWithPrevious"), "a-a--a"), (Ids{4, 4, 2, 1}));
  EXPECT_EQ(ids_of_pieces(split_at_dash("MergedWithNext"), "a-a--a"), (Ids{1, 5, 2, 5}));
  EXPECT_EQ(ids_of_pieces(split_at_dash("Contiguous"), "a-a--a"), (Ids{1, 2, 1, 6, 1}));
}

TEST(PreTokenizer, DigitsAndMetaspace) {
  EXPECT_EQ(ids_of_pieces(R"({"type": "Digits", "individual_digits": true})", "a12a"), (Ids{1, 11, 12, 1}));
  EXPECT_EQ(ids_of_pieces(R"({"type": "Digits", "individual_digits": false})", "a12a"), (Ids{1, 10, 1}));
  const auto metaspace = [](const std::string& scheme) {
    return R"({"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": ")" + scheme + R"(", "split": true})";
  };
  EXPECT_EQ(ids_of_pieces(metaspace("always"), "a a  a"), (Ids{8, 8, 9, 8}));
  EXPECT_EQ(ids_of_pieces(metaspace("never"), "a a"), (Ids{1, 8}));
  EXPECT_EQ(ids_of_pieces(metaspace("first"), " a"), (Ids{8}));
}

TEST(PreTokenizer, UnknownExpressionsRunAsTheyAre) {
  const std::string words = R"json({"type": "Split", "pattern": {"Regex": "\\p{L}+|-+(?=a)"},
                                    "behavior": "Isolated", "invert": false})json";
  EXPECT_EQ(ids_of_pieces(words, "a--a-"), (Ids{1, 6, 1, 2}));
}

}  // namespace
}  // namespace sesame
