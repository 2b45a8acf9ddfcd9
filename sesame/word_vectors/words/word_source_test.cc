#include "sesame/word_vectors/words/word_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "sesame/base/error_of.h"
#include "sesame/base/test_data.h"
#include "sesame/simd/each_instruction_set.h"
#include "sesame/text/character_tokenizer.h"
#include "sesame/word_vectors/words/find_breaks.h"
#include "sesame/word_vectors/words/test_corpus.h"

namespace sesame {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Sentences = std::vector<std::vector<std::string>>;

/// Reads a corpus block by block; empty sentences would show.
Sentences sentences_of(const WordSourceOptions& source) {
  Sentences sentences(1);
  TextBlocks blocks(source);
  WordSplitter splitter(source);
  TextBlock block;
  int64_t index = 0;
  bool inside = false;
  while (blocks.next(block)) {
    EXPECT_EQ(block.index, index++);
    EXPECT_TRUE(inside || !block.continues);
    inside = !block.ends_sentence;
    splitter.split(
        block, [&](std::string_view word) { sentences.back().emplace_back(word); }, [&] { sentences.emplace_back(); });
  }
  EXPECT_FALSE(inside);
  EXPECT_THAT(sentences.back(), testing::IsEmpty());
  sentences.pop_back();
  return sentences;
}

Sentences split(std::string_view text, WordUnit unit, bool lower_case = false) {
  WordSourceOptions options;
  options.unit = unit;
  options.lower_case = lower_case;
  if (unit == WordUnit::tokenizer) {
    CharacterTrainer trainer;
    trainer.add(text);
    options.tokenizer = trainer.train();
  }
  Sentences sentences(1);
  TextBlock block;
  block.text = text;
  block.ends_sentence = true;
  WordSplitter(options).split(
      block, [&](std::string_view word) { sentences.back().emplace_back(word); }, [&] { sentences.emplace_back(); });
  sentences.pop_back();
  return sentences;
}

TEST(WordSplitter, SplitsAtSpacesTabsAndLineBreaksAndAtNothingElse) {
  EXPECT_EQ(split("a bb\tccc\n\n\n  d \n", WordUnit::whitespace), (Sentences{{"a", "bb", "ccc"}, {"d"}}));
  EXPECT_EQ(split("x\x0B\xC2\xA0y\x0C\xFF z", WordUnit::whitespace), (Sentences{{"x\x0B\xC2\xA0y\x0C\xFF", "z"}}));
  EXPECT_EQ(split("", WordUnit::whitespace), Sentences{});
  EXPECT_EQ(split(" \n\t\n", WordUnit::whitespace), Sentences{});
}

TEST(WordSplitter, DropsCarriageReturnsWhereverTheyStand) {
  EXPECT_EQ(split("one\r\ntw\ro\r\n\r\n\r\r \rthree\r", WordUnit::whitespace),
            (Sentences{{"one"}, {"two"}, {"three"}}));
}

TEST(WordSplitter, AgreesWithPlainSplittingOnRandomBytes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const std::string text = random_text(seed, 1000 + seed * 997);
    EXPECT_EQ(split(text, WordUnit::whitespace), plain_sentences(text)) << seed;
  }
}

TEST(WordSplitter, SplitsChineseIntoCharactersAndLeavesLettersTogether) {
  EXPECT_EQ(split("我爱GPT-2，3.5倍！\n看", WordUnit::character),
            (Sentences{{"我", "爱", "GPT", "-", "2", "，", "3", ".", "5", "倍", "！"}, {"看"}}));
  EXPECT_EQ(split("東京タワー　ab_c\xCC\x81 \xF0\xA0\x80\x80x", WordUnit::character),
            (Sentences{{"東", "京", "タワー", "ab_c\xCC\x81", "\xF0\xA0\x80\x80", "x"}}));
  EXPECT_EQ(split("a\xFF\xE4\xB8", WordUnit::character), (Sentences{{"a", "\xFF", "\xE4", "\xB8"}}));
}

TEST(WordSplitter, LowersTheCaseOfAllLettersCharacterByCharacter) {
  EXPECT_EQ(split("ABC Zz[@ ÄÖÜ ΣΑΣ ДОМ İ \xE2\x84\xAA \xC8\xBA\xC8\xBA\xC8\xBA \xFF"
                  "A",
                  WordUnit::whitespace, true),
            (Sentences{{"abc", "zz[@", "äöü", "σασ", "дом", "i", "k", "\xE2\xB1\xA5\xE2\xB1\xA5\xE2\xB1\xA5",
                        "\xFF"
                        "a"}}));
  EXPECT_EQ(split("ABCÄ", WordUnit::whitespace), (Sentences{{"ABCÄ"}}));
}

TEST(WordSplitter, SpellsThePiecesOfATokenizerWithoutWhiteSpace) {
  EXPECT_EQ(split("ab c\r\n\nd", WordUnit::tokenizer), (Sentences{{"a", "b", "c"}, {"d"}}));
  WordSourceOptions options;
  options.unit = WordUnit::tokenizer;
  EXPECT_THAT(error_of([&] { WordSplitter splitter(options); }), HasSubstr("need a tokenizer"));
}

TEST(WordSplitter, ReportsEveryLineBreakWhereThatIsAskedFor) {
  TextBlock block;
  block.text = "\na b\n\nc";
  block.ends_sentence = true;
  std::string seen;
  WordSplitter({}).split_spans(
      block,
      [&](std::string_view text, std::span<const WordSpan> words) {
        for (const WordSpan& word : words) seen += word.size == 0 ? "|" : text.substr(word.begin, word.size);
      },
      WordSplitter::Ends::lines);
  EXPECT_EQ(seen, "|ab||c|");
}

TEST(WordSplitter, LetsOnlyAContinuedBlockBeginWithASentenceEnd) {
  TextBlock block;
  block.text = " \n\nx\n";
  for (const bool continues : {false, true}) {
    block.continues = continues;
    std::string seen;
    WordSplitter({}).split(
        block, [&](std::string_view word) { seen += word; }, [&] { seen += '|'; });
    EXPECT_EQ(seen, continues ? "|x|" : "x|");
  }
}

TEST(TextBlocks, GiveTheSameWordsForAnySizeOfBlocks) {
  for (const uint64_t seed : {1, 2, 3}) {
    const std::string text = random_text(seed, 20000);
    const TestCorpus corpus(text);
    WordSourceOptions source = corpus.source();
    for (const size_t size : {1, 7, 64, 1000, 4096, 100000}) {
      source.block_bytes = size;
      EXPECT_EQ(sentences_of(source), plain_sentences(text)) << size;
    }
  }
}

TEST(TextBlocks, KeepWordsWholeThatAreLongerThanABlock) {
  const std::string word(5000, 'x');
  const TestCorpus corpus("a " + word + " b\n" + word + word + "\nc");
  WordSourceOptions source = corpus.source();
  source.block_bytes = 64;
  EXPECT_EQ(sentences_of(source), (Sentences{{"a", word, "b"}, {word + word}, {"c"}}));
}

TEST(TextBlocks, CutAWordOfMoreThanAMebibyteBetweenCharacters) {
  std::string line;
  while (line.size() < (3 << 20)) line += "中文";
  const TestCorpus corpus(line);
  WordSourceOptions source = corpus.source();
  std::string joined;
  for (const std::vector<std::string>& sentence : sentences_of(source)) {
    EXPECT_GT(sentence.size(), 1u);
    for (const std::string& word : sentence) {
      EXPECT_EQ(word.size() % 3, 0u);
      joined += word;
    }
  }
  EXPECT_TRUE(joined == line);
}

TEST(TextBlocks, StreamOneLineOfManyMegabytes) {
  std::string line;
  for (int i = 0; line.size() < (5 << 20); ++i) line += "word" + std::to_string(i) + " ";
  const TestCorpus corpus(line);
  TextBlocks blocks(corpus.source());
  TextBlock block;
  std::string joined;
  while (blocks.next(block)) {
    EXPECT_LT(block.text.size(), size_t{600} << 10);
    EXPECT_EQ(block.ends_sentence, joined.size() + block.text.size() == line.size());
    joined += block.text;
  }
  EXPECT_TRUE(joined == line);
  EXPECT_EQ(blocks.bytes(), line.size());
  EXPECT_EQ(blocks.stored_bytes(), line.size());
}

TEST(TextBlocks, EndASentenceBetweenDocumentsAndFiles) {
  const TestCorpus jsonl("{\"text\":\"a b\"}\n{\"text\":\"c\\nd\"}\n{\"text\":\"e\\n\"}\n{\"text\":\"f\"}\n",
                         "c.jsonl");
  const TestCorpus text("g\nh");
  WordSourceOptions source = jsonl.source();
  source.sources.push_back(text.path().string());
  for (const size_t size : {1, 3, 1 << 18}) {
    source.block_bytes = size;
    EXPECT_EQ(sentences_of(source), (Sentences{{"a", "b"}, {"c"}, {"d"}, {"e"}, {"f"}, {"g"}, {"h"}})) << size;
  }
}

TEST(TextBlocks, ReadCompressedFiles) {
  const TestCorpus corpus("", "c.txt.gz");
  gzFile file = gzopen(corpus.path().c_str(), "wb");
  gzputs(file, "a b\nc\n");
  gzclose(file);
  EXPECT_EQ(sentences_of(corpus.source()), (Sentences{{"a", "b"}, {"c"}}));
}

TEST(TextBlocks, EndAfterAnErrorAndAfterStop) {
  const TestCorpus damaged("\x1F\x8B\x08 no gzip", "c.txt.gz");
  TextBlocks blocks(damaged.source());
  TextBlock block;
  EXPECT_THAT(error_of([&] { blocks.next(block); }), HasSubstr("c.txt.gz"));
  EXPECT_FALSE(blocks.next(block));

  const TestCorpus corpus(random_text(1, 1000));
  WordSourceOptions source = corpus.source();
  source.block_bytes = 10;
  TextBlocks stopped(source);
  EXPECT_TRUE(stopped.next(block));
  stopped.stop();
  EXPECT_FALSE(stopped.next(block));
}

TEST(TextBlocks, SplitRealChineseTextIntoCharacters) {
  const auto path = shared_data("chinese/luxun.txt");
  if (!path) GTEST_SKIP() << "no shared data";
  WordSourceOptions source;
  source.sources = {path->string()};
  source.unit = WordUnit::character;
  size_t bytes = 0;
  size_t han = 0;
  for (const std::vector<std::string>& sentence : sentences_of(source)) {
    for (const std::string& word : sentence) {
      bytes += word.size();
      han += word.size() == 3 && word[0] >= '\xE4' && word[0] <= '\xE9' ? 1 : 0;
    }
  }
  EXPECT_GT(han * 3, bytes * 7 / 10);
}

TEST(FindBreaks, AgreesWithAPlainLoopOnEveryInstructionSet) {
  for_each_instruction_set([](const char* name) {
    for (size_t size = 0; size < 300; ++size) {
      const std::string text = random_text(size, size).substr(0, size);
      std::vector<uint64_t> breaks(size / 64 + 9, ~uint64_t{0});
      find_breaks(text.data(), size, breaks.data());
      for (size_t i = 0; i < (size + 63) / 64 * 64; ++i) {
        const bool expected = i < size && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n');
        EXPECT_EQ(breaks[i / 64] >> (i % 64) & 1, expected ? 1u : 0u) << name << size << " " << i;
      }
    }
  });
}

TEST(LowerAscii, AgreesWithAPlainLoopOnEveryInstructionSet) {
  for_each_instruction_set([](const char* name) {
    std::string all;
    for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
    for (size_t size = 0; size <= 128; ++size) {
      for (const size_t other : {size, size / 2}) {
        std::string text = all.substr(0, size);
        if (other < size) text[other] = '\x80';
        std::string expected = text;
        for (size_t i = 0; i < other; ++i)
          if (text[i] >= 'A' && text[i] <= 'Z') expected[i] = static_cast<char>(text[i] + 32);
        EXPECT_EQ(lower_ascii(text.data(), size, text.data()), other) << name << size;
        EXPECT_EQ(text.substr(0, other), expected.substr(0, other)) << name << size;
      }
    }
  });
}

}  // namespace
}  // namespace sesame
