#include "sesame/word_vectors/words/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/philox.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/text/words/word_key.h"

namespace sesame {
namespace {

using testing::HasSubstr;

std::string shown(const Vocabulary& vocabulary) {
  std::string text;
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    text += std::string(vocabulary.word(id)) + " " + std::to_string(vocabulary.count(id)) + "\n";
  }
  return text;
}

/// Reads a vocabulary of this content; its words and counts, or the error behind the file's name.
std::string read(std::string_view content) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "v";
  write_file_atomically(path, content);
  std::string text;
  const std::string error = error_of([&] { text = shown(read_vocabulary(path)); });
  return error == "no error" ? text : error.substr(std::min(error.size(), path.string().size()));
}

TEST(Vocabulary, SortsByFallingCountAndThenByBytes) {
  const Vocabulary vocabulary({{"b", 2}, {"\xE4\xB8\xAD", 2}, {"a longer word", 2}, {"a longer wore", 2}, {"z", 9}});
  EXPECT_EQ(shown(vocabulary), "z 9\na longer word 2\na longer wore 2\nb 2\n\xE4\xB8\xAD 2\n");
  EXPECT_EQ(vocabulary.total(), 17u);
}

TEST(Vocabulary, PutsTheSentenceEndFirstAndAddsItWhereItIsMissing) {
  EXPECT_EQ(shown(Vocabulary({{"a", 5}, {"</s>", 1}, {"b", 3}}, true)), "</s> 1\na 5\nb 3\n");
  EXPECT_EQ(shown(Vocabulary({{"a", 5}}, true)), "</s> 0\na 5\n");
  EXPECT_EQ(shown(Vocabulary({{"a", 5}, {"</s>", 1}})), "a 5\n</s> 1\n");
}

TEST(Vocabulary, FindsEveryWordAndNoOther) {
  std::vector<std::string> words;
  for (int i = 0; i < 20000; ++i) words.push_back(std::string(static_cast<size_t>(i % 37), 'x') + std::to_string(i));
  std::vector<Vocabulary::Entry> entries;
  for (size_t i = 0; i < words.size(); i += 2) entries.push_back({words[i], i});
  const Vocabulary vocabulary = Vocabulary::in_order(entries);
  for (size_t i = 0; i < words.size(); ++i) {
    EXPECT_EQ(vocabulary.find(words[i]), i % 2 == 0 ? static_cast<int32_t>(i / 2) : -1) << words[i];
  }
  EXPECT_EQ(vocabulary.find(""), -1);
  EXPECT_EQ(Vocabulary().find("a"), -1);
}

TEST(Vocabulary, TellsWordsApartThatDifferInZeroBytesOnly) {
  const std::string_view one("a\0", 2);
  const std::string_view two("a\0\0", 3);
  const Vocabulary vocabulary = Vocabulary::in_order({{"a", 1}, {one, 1}, {two, 1}});
  EXPECT_EQ(vocabulary.find("a"), 0);
  EXPECT_EQ(vocabulary.find(one), 1);
  EXPECT_EQ(vocabulary.find(two), 2);
}

TEST(Vocabulary, CountsBeyondThirtyTwoBits) {
  const uint64_t many = uint64_t{3} << 40;
  const Vocabulary vocabulary({{"a", many}, {"b", many + 1}});
  EXPECT_EQ(vocabulary.count(vocabulary.find("b")), many + 1);
  EXPECT_EQ(vocabulary.total(), 2 * many + 1);
}

TEST(Vocabulary, RefusesWordsThatAreEmptyOrThereTwice) {
  EXPECT_THAT(error_of([] { Vocabulary({{"a", 1}, {"", 1}}); }), HasSubstr("is empty"));
  EXPECT_THAT(error_of([] { Vocabulary({{"a", 1}, {"b", 1}, {"a", 2}}); }), HasSubstr("\"a\" is there twice"));
  EXPECT_THAT(error_of([] { Vocabulary({{"a", ~uint64_t{0}}, {"b", 1}}); }), HasSubstr("2^64"));
}

TEST(VocabularyFile, HasGoldenBytesAndKeepsItsOrder) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "vocabulary.txt";
  write_vocabulary(path, Vocabulary::in_order({{"</s>", 0}, {"rare", 1}, {"\xFF\r", 7}, {"the", uint64_t{1} << 40}}));
  EXPECT_EQ(read_file(path), "</s> 0\nrare 1\n\xFF\r 7\nthe 1099511627776\n");
  EXPECT_EQ(shown(read_vocabulary(path)), read_file(path));
}

TEST(VocabularyFile, ReadsWhatEditorsMakeOfIt) {
  EXPECT_EQ(read("a 2\r\nb 1\r\n"), "a 2\nb 1\n");
  EXPECT_EQ(read("a 2\nb 1"), "a 2\nb 1\n");
}

TEST(VocabularyFile, NamesTheLineThatIsWrong) {
  EXPECT_EQ(read("a 2\nb\n"), ":2: \"b\" is no line of a vocabulary, expected a word, a space, and its count");
  for (const char* line : {"b", "", " 1", "b ", "b -1", "b 1 ", "b 1 2", "b 0x1", "b 18446744073709551616", "b\t1"}) {
    EXPECT_THAT(read(std::string("a 2\n") + line + "\nc 1\n"), HasSubstr(":2: ")) << line;
  }
  EXPECT_EQ(read("a 2\nb 1\na 1\n"), ":3: the word \"a\" is there a second time");
  EXPECT_EQ(read(""), ": no words in this vocabulary");
  EXPECT_THAT(read("a 18446744073709551615\nb 1\n"), HasSubstr("2^64"));
}

TEST(VocabularyFile, RefusesToWriteAWordThatNoReaderCouldTellFromTwo) {
  const TemporaryDirectory directory;
  const Vocabulary vocabulary = Vocabulary::in_order({{"a b", 1}});
  EXPECT_THAT(error_of([&] { write_vocabulary(directory.path() / "v", vocabulary); }), HasSubstr("white space"));
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "v"));
}

TEST(WordKey, IsTheSameWithAndWithoutReadableBytesBehindTheWord) {
  const std::string text = "abcdefghijklmnopqrstuvwxyz0123456789";
  for (uint32_t size = 0; size <= 20; ++size) {
    const WordKey exact = WordKey::of(std::string_view(text).substr(3, size));
    const WordKey padded = WordKey::of_padded(text.data() + 3, size);
    EXPECT_EQ(exact.low, padded.low);
    EXPECT_EQ(exact.high, padded.high);
    EXPECT_EQ(exact.hash, padded.hash);
  }
}

TEST(WordKey, SpreadsSimilarWordsOverAllBitsOfTheHash) {
  // 4096 keys in 4096 places: a random function leaves 4096 / e of them empty, 1507 with a deviation of 31.
  for (const int shift : {0, 20, 40, 52}) {
    for (const char* prefix : {"", "word", "commonprefix", "a prefix of more than 16 bytes"}) {
      std::vector<bool> taken(4096);
      for (int i = 0; i < 4096; ++i) taken[WordKey::of(prefix + std::to_string(i)).hash >> shift & 4095] = true;
      EXPECT_NEAR(static_cast<double>(std::count(taken.begin(), taken.end(), false)), 1507, 200) << shift << prefix;
    }
  }
}

}  // namespace
}  // namespace sesame
