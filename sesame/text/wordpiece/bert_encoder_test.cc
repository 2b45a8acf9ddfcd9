#include "sesame/text/wordpiece/bert_encoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/vocab_txt.h"
#include "sesame/text/unicode/hugging_face_categories.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/wordpiece/scan_words.h"

namespace sesame {
namespace {

using Ids = std::vector<int32_t>;
using Words = std::vector<std::string>;

/// "1100": clean_text, handle_chinese_chars, strip_accents, lowercase.
normalizer::Bert settings_of(std::string_view flags) {
  normalizer::Bert settings;
  settings.clean_text = flags[0] == '1';
  settings.handle_chinese_chars = flags[1] == '1';
  settings.strip_accents = flags[2] == '1';
  settings.lowercase = flags[3] == '1';
  return settings;
}

Words words_of(std::string_view flags, std::string_view text) {
  WordScan scan;
  scan.text = text.data();
  scan.end = text.data() + text.size();
  Words words;
  while (scan.text < scan.end) {
    scan_words(BertCharacters::get(settings_of(flags)), scan);
    for (size_t i = 0; i < scan.ended; ++i) {
      words.emplace_back(scan.bytes.data() + scan.begins[i], scan.ends[i] - scan.begins[i]);
    }
  }
  return words;
}

Ids encode(const TextEncoder& encoder, TextEncoder::State& state, std::string_view text) {
  static IdBuffer ids;  // whose memory is used again
  ids.clear();
  encoder.encode(text, StretchStart::text, state, ids);
  return {ids.ids().begin(), ids.ids().end()};
}

TokenizerSpec small_spec(std::string_view flags) {
  TokenizerSpec spec;
  for (const char* token : {"[UNK]",
                            "a",
                            "b",
                            "ab",
                            "##a",
                            "##b",
                            "##ab",
                            "A",
                            "é",
                            "##é",
                            "e",
                            "##e",
                            ",",
                            "'",
                            "#",
                            "$",
                            "\u4E00",
                            "\u3042",
                            "##\u3042",
                            "\u0308",
                            "##\u0308",
                            "##\u302E",
                            "##\U0001E944",
                            "\u1100",
                            "##\u1161",
                            "\uAC00",
                            "i",
                            "##i",
                            "\u00B7",
                            "<",
                            "="}) {
    spec.vocabulary.push_back({token, static_cast<int32_t>(spec.vocabulary.size())});
  }
  spec.model = model::WordPiece{};
  spec.normalizers.emplace_back(settings_of(flags));
  spec.pre_tokenizers.emplace_back(pre_tokenizer::Bert{});
  return spec;
}

/// Text of what BERT's rules are about, invalid bytes among it.
std::string random_text(std::mt19937& random, size_t parts) {
  static const Words pieces = {"a",
                               "b",
                               "ab",
                               "A",
                               "\u00e9",
                               "e\u0301",
                               " ",
                               "  ",
                               "\n",
                               "\t",
                               "\r",
                               ",",
                               "'",
                               "#",
                               "$",
                               "\u4E00",
                               "\u9FFF",
                               "\u3042",
                               "\u0308",
                               "\u0315",
                               "\u302E",
                               "\u302A",
                               "\U0001E944",
                               "\U0001D15E",
                               "\uAC00",
                               "\u0130",
                               "\u226E",
                               "\u2260",
                               "\u00B7",
                               "\u3000",
                               "\u00A0",
                               "\u0085",
                               "\u200B",
                               "\u00AD",
                               "\uFFFD",
                               "\uE000",
                               "\u0378",
                               "\U0002B820",
                               "\U0001F600",
                               "\x7f",
                               "\x0b",
                               "\x01",
                               "\xC3",
                               "\x80",
                               "\xED\xA0\x80",
                               "\xF4\x90\x80\x80",
                               "\xE4\xB8",
                               "\x1f"};
  std::string text;
  for (size_t i = 0; i < parts; ++i) {
    text += pieces[random() % pieces.size()];
    if (random() % 40 == 0) text.append(random() % 130, "ab ,A\xC3"[random() % 6]);
    if (random() % 200 == 0) text += '\0';
  }
  return text;
}

uint32_t checksum(const Words& words) {
  uint32_t value = 0x811C9DC5;
  const auto add = [&](char c) { value = (value ^ static_cast<uint8_t>(c)) * 0x01000193; };
  for (const std::string& word : words) {
    for (const char c : word) add(c);
    add('\0');
  }
  return value;
}

TEST(BertWords, AreHuggingFacesForEveryCharacter) {
  const std::string json = read_file("tests/golden/wordpiece.json");
  visit_json(json, "wordpiece.json", [](const JsonCursor& root) {
    root.at("characters").for_each_member([](std::string_view flags, const JsonCursor& sums) {
      uint32_t block = 0;
      sums.for_each_item([&](const JsonCursor& sum) {
        std::string text;
        for (uint32_t code = block << 12; code < (block + 1) << 12; ++code) {
          if (code >= 0xD800 && code < 0xE000) continue;
          text += text.empty() ? "a" : " a";
          append_utf8(code, text);
          text += 'b';
        }
        EXPECT_EQ(checksum(words_of(flags, text)), sum.integer(0, UINT32_MAX)) << flags << ' ' << block;
        ++block;
      });
      EXPECT_EQ(block, 0x110u);
    });
  });
}

TEST(BertWords, AreHuggingFacesForRandomTexts) {
  const std::string json = read_file("tests/golden/wordpiece.json");
  size_t texts = 0;
  visit_json(json, "wordpiece.json", [&](const JsonCursor& root) {
    root.at("texts").for_each_item([&](const JsonCursor& item) {
      Words strings;
      Words words;
      item.for_each_item([&](const JsonCursor& part) {
        if (part.is_string()) strings.emplace_back(part.string());
        if (part.is_array()) part.for_each_item([&](const JsonCursor& word) { words.emplace_back(word.string()); });
      });
      EXPECT_EQ(words_of(strings.at(0), strings.at(1)), words) << strings[0] << ' ' << strings[1];
      ++texts;
    });
  });
  EXPECT_EQ(texts, 250u);
}

TEST(BertWords, GoOnAcrossBlocksAndCalls) {
  for (const size_t size : {1, 63, 64, 65, 127, 128, 8191, 8192, 8193, 100'000}) {
    const std::string word(size, 'A');
    EXPECT_EQ(words_of("1111", word), Words{std::string(size, 'a')});
    EXPECT_EQ(words_of("1111", word + " b"), (Words{std::string(size, 'a'), "b"}));
    EXPECT_EQ(words_of("1111", std::string(size, ' ') + word), Words{std::string(size, 'a')});
    EXPECT_EQ(words_of("1111", std::string(size, '.')).size(), size);
    EXPECT_EQ(words_of("1111", std::string(size, '\x01')), Words{});
    EXPECT_EQ(words_of("1111", std::string(size, '\xFF') + "A"), Words{std::string(size, '\xFF') + "a"});
  }
}

TEST(BertWords, MarksOfARunAreOrderedHoweverLongItIs) {
  // U+302E (224) is no nonspacing mark, so it stays; U+1E944 (230) neither; U+0301 (230) is dropped.
  EXPECT_EQ(words_of("1111", "a\U0001E944\u0301\u302Eb"), Words{"a\u302E\U0001E944b"});
  EXPECT_EQ(words_of("1111", "a\U0001E944\u200B\u302Eb"), Words{"a\u302E\U0001E944b"});
  EXPECT_EQ(words_of("1111", "a\U0001E944 \u302E"), (Words{"a\U0001E944", "\u302E"}));
  std::string run = "a";
  std::string ordered = "a";
  for (int i = 0; i < 20'000; ++i) run += "\U0001E944\u302E";
  for (int i = 0; i < 20'000; ++i) ordered += "\u302E";
  for (int i = 0; i < 20'000; ++i) ordered += "\U0001E944";
  EXPECT_EQ(words_of("1111", run), Words{ordered});
}

TEST(BertWords, NoMarkIsPunctuationOrSpace) {
  // So that a run of marks begins no more words than one, as WordScan needs.
  for (uint32_t code = 0; code < 0x110000; ++code) {
    if (hugging_face::combining_class(code) == 0) continue;
    EXPECT_FALSE(hugging_face::is_punctuation(code) || hugging_face::is_white_space(code)) << code;
  }
}

TEST(BertWords, WhatIsSpelledIsAWordAloneOrWithinOne) {
  // So that a word that has begun begins behind the last character that ends words.
  for (const char* flags : {"1111", "1110", "0011", "0001", "0000"}) {
    const BertCharacters& characters = BertCharacters::get(settings_of(flags));
    for (uint32_t code = 0; code < 0x110000; ++code) {
      const BertCharacters::Entry entry = characters.of(code);
      if (entry.kind() == BertCharacters::marked) {
        const char32_t one[] = {code};
        for (const auto& part : characters.normalize({one, 1})) EXPECT_EQ(part.kind, BertCharacters::in_word) << code;
      }
      if (entry.kind() != BertCharacters::spelled || entry.length() == 1) continue;
      for (uint32_t i = 0; i < entry.length(); ++i) {
        EXPECT_EQ(characters.spelling_begin(entry)[i].kind, BertCharacters::in_word) << flags << ' ' << code;
      }
    }
  }
}

/// Characters whose bytes become whole when what stands between them is dropped, and any bytes.
std::string random_bytes(std::mt19937& random, size_t parts) {
  static const Words characters = {"\u00e9", "\u00c9", "\u0085", "\u00a0", "\u00b7",     "\u0308",     "\u0130",
                                   "\u3000", "\u4e00", "\u2014", "\uac00", "\ufffd",     "\u302e",     "\u2260",
                                   "\u212b", "\u200b", "\ud7ff", "\u0344", "\U0001f600", "\U0002f800", "\U0001e944"};
  static const Words between = {"\x01",
                                "\x7f",
                                "\u200b",
                                "\u0308",
                                "\ufffd",
                                "\u0301",
                                "\u302e",
                                " ",
                                ",",
                                "a",
                                "\u4e00",
                                "",
                                std::string(1, '\0')};
  std::string text;
  for (size_t i = 0; i < parts; ++i) {
    const std::string& character = characters[random() % characters.size()];
    for (const char byte : character) {
      text += byte;
      if (random() % 3 == 0) text += between[random() % between.size()];
      if (random() % 9 == 0) text += between[random() % between.size()];
    }
    if (random() % 4 == 0) text += "ab A,"[random() % 5];
    if (random() % 4 == 0) text += static_cast<char>(random() % 256);
    if (random() % 30 == 0) text.append(random() % 130, "a\xFF\xC3\xA9"[random() % 4]);
  }
  return text;
}

TEST(BertEncoder, GivesTheIdsOfThePipelineInAnyParts) {
  std::mt19937 random(3);
  for (unsigned number = 0; number < 17; ++number) {
    std::string flags;
    for (unsigned bit = 0; bit < 4; ++bit) flags += (number >> bit & 1) != 0 ? '1' : '0';
    TokenizerSpec spec = small_spec(flags);
    if (number == 16) spec.normalizers.clear();
    const auto fused = make_bert_encoder(spec, "test");
    ASSERT_NE(fused, nullptr);
    const auto pipeline = make_pipeline_encoder(spec, "test");
    const auto state = fused->make_state();
    const auto pipeline_state = pipeline->make_state();
    for (int i = 0; i < 60; ++i) {
      const size_t parts = i < 2 ? 9000 : random() % 120;
      const std::string text = i % 2 == 0 ? random_text(random, parts) : random_bytes(random, parts);
      const Ids ids = encode(*fused, *state, text);
      ASSERT_EQ(ids, encode(*pipeline, *pipeline_state, text)) << flags << ": " << text;
      Ids joined;
      for (size_t begin = 0; begin < text.size();) {
        const std::string_view rest = std::string_view(text).substr(begin);
        const size_t cut = fused->next_cut(rest, std::min<size_t>(rest.size(), 1 + random() % 30));
        const Ids part = encode(*fused, *state, rest.substr(0, cut));
        joined.insert(joined.end(), part.begin(), part.end());
        begin += cut;
      }
      ASSERT_EQ(joined, ids) << flags << ": " << text;
    }
  }
}

TEST(BertEncoder, KnowsItsFamily) {
  EXPECT_NE(make_bert_encoder(small_spec("1111"), "test"), nullptr);
  TokenizerSpec spec = small_spec("1111");
  spec.pre_tokenizers[0] = pre_tokenizer::WhitespaceSplit{};
  EXPECT_EQ(make_bert_encoder(spec, "test"), nullptr);
  spec = small_spec("1111");
  spec.normalizers.emplace_back(normalizer::Lowercase{});
  EXPECT_EQ(make_bert_encoder(spec, "test"), nullptr);
  spec = small_spec("1111");
  spec.model = model::Bpe{};
  EXPECT_EQ(make_bert_encoder(spec, "test"), nullptr);
  spec = small_spec("1111");
  spec.vocabulary.push_back({"\xC3", static_cast<int32_t>(spec.vocabulary.size())});
  EXPECT_EQ(make_bert_encoder(spec, "test"), nullptr);
}

TEST(BertEncoder, GivesThePublishedIds) {
  const auto vocab = shared_data("tokenizers/bert-base-uncased/vocab.txt");
  const auto vectors = shared_data("tokenizers/vectors/transformers_js.json");
  if (!vocab || !vectors) GTEST_SKIP() << "no shared data";
  const auto encoder = make_bert_encoder(read_vocab_txt(*vocab), "test");
  const auto state = encoder->make_state();
  size_t texts = 0;
  visit_json(read_file(*vectors), "vectors", [&](const JsonCursor& root) {
    root.at("Xenova/bert-base-uncased").for_each_member([&](std::string_view name, const JsonCursor& test) {
      if (!test.find("text") || !test.find("ids") || test.find("text_pair")) return;
      Ids expected;
      test.at("ids").for_each_item(
          [&](const JsonCursor& id) { expected.push_back(static_cast<int32_t>(id.integer(0, max_token_id))); });
      Ids ids = encode(*encoder, *state, test.at("text").string());
      ids.insert(ids.begin(), 101);
      ids.push_back(102);
      EXPECT_EQ(ids, expected) << name;
      ++texts;
    });
  });
  EXPECT_GT(texts, 10u);
}

}  // namespace
}  // namespace sesame
