#include "sesame/text/tokenizer.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/character_tokenizer.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

using Ids = std::vector<int32_t>;

constexpr EncodeOptions with_special = {.parse_special = true, .add_special = false};

Tokenizer parse(const std::string& json) { return Tokenizer(parse_tokenizer_json(json, "test.json"), "test.json"); }

Tokenizer trained(SplitPattern pattern, int32_t vocabulary = 400) {
  WordCounter words(pattern, {"<|endoftext|>"}, 1);
  words.add(
      "the cat sat on the mat, and the cats' hats weren't that fat: 1234 5678 \u00E9t\u00E9 \u65E5\u672C\u8A9E\n");
  BpeTrainerOptions options;
  options.vocabulary_size = vocabulary;
  options.min_frequency = 1;
  return train_byte_level_bpe(words, options);
}

std::string random_bytes(std::mt19937& random, size_t size) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>(static_cast<uint8_t>(random()));
  return text;
}

// Merges by hand: ranks t+h, th+e, " "+the; "the" is three symbols merged in two steps.
constexpr const char* small_bpe = R"({
  "version": "1.0", "truncation": null, "padding": null,
  "added_tokens": [
    {"id": 9, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
    {"id": 10, "content": "<m>", "single_word": false, "lstrip": true, "rstrip": true, "normalized": false, "special": false},
    {"id": 11, "content": "hh", "single_word": true, "lstrip": false, "rstrip": false, "normalized": false, "special": false}],
  "normalizer": null,
  "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
  "post_processor": null,
  "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
  "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": false, "byte_fallback": false,
            "vocab": {"t": 0, "h": 1, "e": 2, "\u0120": 3, "th": 4, "the": 5, "\u0120the": 6, "he": 7, "\u010a": 8},
            "merges": ["t h", "th e", "\u0120 the", "h e"]}
})";

TEST(Tokenizer, MergesByRank) {
  const Tokenizer t = parse(small_bpe);
  EXPECT_EQ(t.encode("the the he\nt"), (Ids{5, 6, 3, 7, 8, 0}));
  EXPECT_EQ(t.encode("thhe"), (Ids{4, 7}));
  EXPECT_EQ(t.decode(Ids{5, 6, 3, 7, 8}), "the the he\n");
  EXPECT_EQ(t.vocabulary_size(), 12);
}

TEST(Tokenizer, SpecialTokensAreTextUnlessAskedFor) {
  const Tokenizer t = parse(small_bpe);
  EXPECT_EQ(t.encode("the<|endoftext|>he", with_special), (Ids{5, 9, 7}));
  EXPECT_EQ(t.encode("<|endoftext|>"), (Ids{2, 0, 2, 0}));  // what the vocabulary lacks is dropped
  EXPECT_EQ(t.decode(Ids{5, 9, 7}), "thehe");
  EXPECT_EQ(t.decode(Ids{5, 9, 7}, false), "the<|endoftext|>he");
  const Tokenizer all_bytes = trained(SplitPattern::gpt2);
  const Ids ordinary = all_bytes.encode("a<|endoftext|>b");
  EXPECT_EQ(std::count(ordinary.begin(), ordinary.end(), 0), 0);
  EXPECT_EQ(all_bytes.decode(ordinary), "a<|endoftext|>b");
  EXPECT_EQ(all_bytes.encode("a<|endoftext|>b", with_special).size(), 3u);
}

TEST(Tokenizer, TextNeverBecomesASpecialTokenOfTheVocabulary) {
  const std::string json = R"json({
    "added_tokens": [{"id": 3, "content": "ab", "special": true, "normalized": false}],
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
    "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ba": 2, "ab": 3}, "merges": ["b a"], "ignore_merges": true}})json";
  const Tokenizer t = parse(json);
  EXPECT_EQ(t.encode("ab"), (Ids{0, 1}));
  EXPECT_EQ(t.encode("ba"), (Ids{2}));
  EXPECT_EQ(t.encode("ab", with_special), (Ids{3}));
}

TEST(Tokenizer, AddedTokensDecodeToTheirContent) {
  // In GPT-2's alphabet U+00E9 would spell the byte 0xE9.
  const std::string json = R"json({
    "added_tokens": [{"id": 1, "content": "\u00e9", "special": false, "normalized": false}],
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
    "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true},
    "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}})json";
  const Tokenizer t = parse(json);
  EXPECT_EQ(t.encode("a\u00E9a"), (Ids{0, 1, 0}));
  EXPECT_EQ(t.decode(Ids{0, 1, 0}), "a\u00E9a");
}

TEST(Tokenizer, AddedTokensTakeSpacesAndRespectWords) {
  const Tokenizer t = parse(small_bpe);
  EXPECT_EQ(t.encode("the \n<m> \u3000he"), (Ids{5, 10, 7}));
  EXPECT_EQ(t.encode("hh the"), (Ids{11, 6}));
  EXPECT_EQ(t.encode("thhe"), (Ids{4, 7}));  // inside a word "hh" is text
  EXPECT_EQ(t.encode("hhthe"), (Ids{1, 1, 5}));
}

TEST(Tokenizer, AnyBytesComeBack) {
  std::mt19937 random(11);
  for (const SplitPattern pattern : {SplitPattern::gpt2, SplitPattern::cl100k, SplitPattern::cl100k_tiktoken,
                                     SplitPattern::qwen2, SplitPattern::o200k}) {
    const Tokenizer t = trained(pattern);
    std::vector<std::string> texts = {"",
                                      std::string(3, '\0'),
                                      "\xE2\x82",
                                      std::string(70000, '\xFF'),
                                      "\xC0\xED\xA0\x80",
                                      "don't \u0BA8\u0BBF \U0001F636\u200D\U0001F32B\uFE0F e\u0301\r\n\r\n\t x"};
    for (size_t size = 1; size < 300; ++size) texts.push_back(random_bytes(random, size));
    for (const std::string& text : texts) ASSERT_EQ(t.decode(t.encode(text)), text);
  }
}

TEST(Tokenizer, WordCacheChangesNothing) {
  const Tokenizer t = trained(SplitPattern::gpt2);
  const Tokenizer other = trained(SplitPattern::gpt2, 300);
  const std::string text = "the cats the cats that sat on the hats the cats";
  const Ids first = t.encode(text);
  const Ids others = other.encode(text);
  EXPECT_NE(first, others);
  EXPECT_EQ(t.encode(text), first);
  EXPECT_EQ(other.encode(text), others);
  Ids in_parts;
  for (const char* part : {"the", " cats", " the", " cats", " that"}) t.encode_append(part, {}, in_parts);
  EXPECT_EQ(Ids(first.begin(), first.begin() + static_cast<ptrdiff_t>(in_parts.size())), in_parts);
}

// Merging by scan (short pieces) and by heap (long ones) is the same: powers of two from the left.
TEST(Tokenizer, LongRunsMergeAsShortOnes) {
  WordCounter words(SplitPattern::gpt2, {}, 1);
  words.add(std::string(64, 'a'));
  BpeTrainerOptions options;
  options.vocabulary_size = 256 + 4;
  options.min_frequency = 1;
  const Tokenizer t = train_byte_level_bpe(words, options);
  ASSERT_EQ(t.token(259), std::string(16, 'a'));
  for (const size_t n : {1u, 15u, 16u, 47u, 48u, 49u, 50u, 63u, 64u, 1000u, 1'000'003u}) {
    const Ids ids = t.encode(std::string(n, 'a'));
    EXPECT_EQ(ids.size(), n / 16 + static_cast<size_t>(__builtin_popcountll(n % 16))) << n;
    EXPECT_EQ(t.decode(ids), std::string(n, 'a'));
    EXPECT_TRUE(std::is_sorted(ids.rbegin(), ids.rend())) << n;
  }
}

TEST(Tokenizer, ThreadsShareOneTokenizer) {
  const Tokenizer t = trained(SplitPattern::o200k);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (size_t k = 0; k < wrong.size(); ++k) {
    threads.emplace_back([&, k] {
      std::mt19937 random(static_cast<uint32_t>(k));
      for (int i = 0; i < 300; ++i) {
        const std::string text = "the cat " + random_bytes(random, 40);
        wrong[k] += t.decode(t.encode(text)) == text ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, (std::vector<int>(4, 0)));
}

TEST(Tokenizer, LoadGivesWhatWasSaved) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "tokenizer_test_save";
  std::filesystem::create_directories(directory);
  for (const SplitPattern pattern : {SplitPattern::gpt2, SplitPattern::cl100k_tiktoken, SplitPattern::o200k}) {
    const Tokenizer t = trained(pattern);
    t.save(directory);
    for (const Tokenizer& loaded : {Tokenizer::load(directory), Tokenizer::load(directory / "tokenizer.json")}) {
      EXPECT_EQ(loaded.to_json(), t.to_json());
      EXPECT_EQ(loaded.fingerprint(), t.fingerprint());
      EXPECT_EQ(loaded.encode("the cats' 12345 caf\u00E9\n  "), t.encode("the cats' 12345 caf\u00E9\n  "));
    }
  }
  EXPECT_NE(trained(SplitPattern::gpt2).fingerprint(), trained(SplitPattern::o200k).fingerprint());
  std::filesystem::remove_all(directory);
  EXPECT_THROW(Tokenizer::load(directory), Error);
}

// Llama-2's form: leading space, byte fallback, fused unknowns, template.
constexpr const char* small_llama = R"({
  "version": "1.0",
  "added_tokens": [{"id": 1, "content": "<s>", "special": true, "normalized": false},
                   {"id": 0, "content": "<unk>", "special": true, "normalized": false}],
  "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                 {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
  "pre_tokenizer": null,
  "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                     "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
  "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
              {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
  "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
            "vocab": {"<unk>": 0, "<s>": 1, "<0xE2>": 2, "<0x82>": 3, "<0xAC>": 4, "\u2581": 5, "a": 6, "b": 7, "\u2581a": 8, "ab": 9, "\u2581\u2581": 10},
            "merges": [["\u2581", "a"], ["a", "b"], ["\u2581", "\u2581"]]}
})";

TEST(Tokenizer, SentencePieceFormOfHuggingFace) {
  const Tokenizer t = parse(small_llama);
  const EncodeOptions with_template = {.parse_special = false, .add_special = true};
  EXPECT_EQ(t.encode("ab a", with_template), (Ids{1, 8, 7, 8}));
  EXPECT_EQ(t.encode("a\u20AC"), (Ids{8, 2, 3, 4}));
  EXPECT_EQ(t.encode("\xE2\x82x"), (Ids{5, 2, 3, 0}));          // bytes that are not UTF-8 have byte tokens too
  EXPECT_EQ(t.encode("axyza\u00E9\u00E9"), (Ids{8, 0, 6, 0}));  // what has none is one <unk>
  EXPECT_EQ(t.encode("  a"), (Ids{10, 8}));
  EXPECT_EQ(t.encode("<s>a", with_special), (Ids{1, 8}));  // the leading space comes after a special token again
  EXPECT_TRUE(t.encode("").empty());
  EXPECT_EQ(t.decode(Ids{1, 8, 2, 3, 4, 8}), "a\u20AC a");
  EXPECT_EQ(t.decode(Ids{10, 6}), " a");
  EXPECT_EQ(t.unknown(), 0);
  EXPECT_EQ(t.token_bytes(8), " a");
  EXPECT_EQ(t.token_bytes(2), "\xE2");
}

TEST(Tokenizer, IdsOutsideTheVocabularyAreErrors) {
  const Tokenizer t = parse(small_bpe);
  EXPECT_THROW((void)t.decode(Ids{12}), Error);
  EXPECT_THROW((void)t.decode(Ids{-1}), Error);
  EXPECT_THROW((void)t.token_bytes(12), Error);
  EXPECT_FALSE(t.contains(12));
  EXPECT_EQ(t.id_of("\u0120the"), 6);
  EXPECT_EQ(t.id_of(" the"), std::nullopt);
}

TEST(StreamDecoder, HoldsUnfinishedCharacters) {
  const Tokenizer t = trained(SplitPattern::gpt2, 257);  // bytes only
  const std::string text = "\u010F \u65E5\U0001F636\u200D\U0001F32B";
  StreamDecoder stream(t);
  std::string shown;
  for (const int32_t id : t.encode(text)) {
    const std::string part = stream.push(id);
    EXPECT_TRUE(part.empty() || (static_cast<uint8_t>(part[0]) & 0xC0) != 0x80);
    shown += part;
  }
  EXPECT_EQ(shown, text);
  EXPECT_EQ(stream.finish(), "");
}

TEST(StreamDecoder, ReplacesWhatNeverBecomesACharacter) {
  const Tokenizer t = trained(SplitPattern::gpt2, 257);
  StreamDecoder stream(t);
  std::string shown;
  for (const int32_t id : t.encode("a\xE6\x97z\xFF\uFFFD\xF0\x9F")) shown += stream.push(id);
  EXPECT_EQ(shown, "a\uFFFDz\uFFFD\uFFFD");
  EXPECT_EQ(stream.finish(), "\uFFFD");
  EXPECT_EQ(stream.push(t.encode("b")[0]), "b");
}

TEST(StreamDecoder, GivesWhatDecodeGives) {
  const Tokenizer t = parse(small_llama);
  const Ids ids = {1, 10, 6, 2, 3, 4, 8, 5};
  StreamDecoder from_start(t);
  StreamDecoder continued(t, {.skip_special = true, .continuation = true});
  std::string start;
  std::string rest;
  for (const int32_t id : ids) {
    start += from_start.push(id);
    rest += continued.push(id);
  }
  EXPECT_EQ(start + from_start.finish(), t.decode(ids));
  EXPECT_EQ(rest + continued.finish(), " " + t.decode(ids));
  // Only the start of the text loses its space.
  StreamDecoder unspaced(t);
  std::string second = unspaced.push(9);
  second += unspaced.push(8);
  EXPECT_EQ(second, "ab a");
}

TEST(CharacterTokenizer, OneTokenPerCodePointInOrder) {
  CharacterTrainer trainer;
  trainer.add("b\u00E9a\n");
  trainer.add(
      "\U0001F636"
      "ab");
  const Tokenizer t = trainer.train();
  EXPECT_EQ(t.vocabulary_size(), 5);
  EXPECT_EQ(t.encode("\nab\u00E9\U0001F636"), (Ids{0, 1, 2, 3, 4}));
  EXPECT_EQ(t.decode(Ids{4, 0, 1}), "\U0001F636\na");
  EXPECT_EQ(parse(t.to_json()).encode("ba\n"), (Ids{2, 1, 0}));
}

TEST(CharacterTokenizer, UnseenCharactersAreRefusedOrUnknown) {
  CharacterTrainer trainer;
  trainer.add("ab");
  try {
    (void)trainer.train().encode("a\u00E9");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("U+00E9"), std::string::npos) << error.what();
  }
  const Tokenizer t = trainer.train({"<|endoftext|>", "<unk>"}, "<unk>");
  EXPECT_EQ(t.encode("a\u00E9\xFF"
                     "b"),
            (Ids{2, 1, 1, 3}));
  EXPECT_EQ(t.encode("a<|endoftext|>", with_special), (Ids{2, 0}));
  EXPECT_THROW(trainer.train({}, "<unk>"), Error);
  EXPECT_THROW(trainer.add("a\xFF"), Error);
  EXPECT_THROW((void)CharacterTrainer().train(), Error);
}

TEST(CharacterTokenizer, TinyShakespeareHas65) {
  const auto path = shared_data("english/tinyshakespeare.txt");
  if (!path) GTEST_SKIP() << "no shared data";
  const std::string text = read_file(*path);
  CharacterTrainer trainer;
  trainer.add(text);
  const Tokenizer t = trainer.train();
  EXPECT_EQ(t.vocabulary_size(), 65);
  const Ids ids = t.encode(text);
  EXPECT_EQ(ids.size(), 1115394u);
  EXPECT_EQ(t.decode(ids), text);
}

TEST(Tokenizer, DescribesItsPipeline) {
  const std::string text = trained(SplitPattern::o200k).describe();
  EXPECT_NE(text.find("split by the pattern o200k; bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("'<|endoftext|>' = 0"), std::string::npos) << text;
}

}  // namespace
}  // namespace sesame
