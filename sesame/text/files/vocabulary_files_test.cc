#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/files/llama2c_vocabulary.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/vocab_and_merges.h"
#include "sesame/text/tokenizer.h"

namespace sesame {
namespace {

using Ids = std::vector<int32_t>;

class VocabularyFiles : public testing::Test {
 protected:
  VocabularyFiles() { std::filesystem::create_directories(directory_); }
  ~VocabularyFiles() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path write(const std::string& name, const std::string& content) {
    std::ofstream(directory_ / name, std::ios::binary) << content;
    return directory_ / name;
  }

  template <typename Load>
  static std::string error_of(Load load) {
    try {
      (void)load();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

 private:
  std::filesystem::path directory_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string("vocabulary_files_") + testing::UnitTest::GetInstance()->current_test_info()->name());
};

// base64: YQ== a, Yg== b, Yw== c, YmM= bc, YWJj abc, YWI= ab.
TEST_F(VocabularyFiles, RankFileMergesByRank) {
  const auto path = write("t.tiktoken", "YQ== 0\nYg== 1\nYw== 2\nYmM= 3\nYWJj 4\nYWI= 5\n");
  const Tokenizer t(read_tiktoken(path, {"", SplitPattern::gpt2, {{"<|endoftext|>", 7}}}));
  EXPECT_EQ(t.encode("abc"), (Ids{4}));
  EXPECT_EQ(t.encode("abbc"), (Ids{5, 3}));
  EXPECT_EQ(t.vocabulary_size(), 8);
  EXPECT_FALSE(t.contains(6));
  EXPECT_THROW((void)t.decode(Ids{6}), Error);
}

TEST_F(VocabularyFiles, BrokenRankFilesNameTheLine) {
  const auto load = [&](const std::string& content) {
    return error_of([&] {
      return Tokenizer(read_tiktoken(write("t.tiktoken", content), {"", SplitPattern::gpt2, {}}));
    });
  };
  for (const std::string bad : {"YQ==", "YQ== x", "YQ== -1", "YQ== 99999999999", "Y? 1", "YQ== 0", " 3", "YQ=1 1"}) {
    const std::string message = load("YQ== 0\n" + bad + "\n");
    EXPECT_NE(message.find("t.tiktoken: line 2"), std::string::npos) << bad << ": " << message;
  }
  EXPECT_NE(load("YQ== 0\nYg== 0\n"), "");
  EXPECT_NE(load(""), "");
}

TEST_F(VocabularyFiles, MergesMayBeginWithAHash) {
  const auto vocab = write("vocab.json", R"({"#": 0, "a": 1, "#a": 2, "##": 3})");
  const auto merges = write("merges.txt", "#version: 0.2\n# #\n# a\n");
  const Tokenizer t(read_vocab_and_merges(vocab, merges, SplitPattern::gpt2, {}));
  EXPECT_EQ(t.encode("###"), (Ids{3, 0}));
  EXPECT_NE(error_of([&] {
              return read_vocab_and_merges(vocab, write("m.txt", "# b\n"), SplitPattern::gpt2, {});
            }).find("m.txt: line 1"),
            std::string::npos);
  EXPECT_NE(error_of([&] { return read_vocab_and_merges(vocab, merges, SplitPattern::gpt2, {"<e>"}); }), "");
}

void append(std::string& file, auto value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  file.append(bytes, sizeof value);
}

void append_token(std::string& file, const std::string& text, float score) {
  append(file, score);
  append(file, static_cast<int32_t>(text.size()));
  file += text;
}

/// Control tokens, bytes, then " ", "a", "b", " a", "ab", " ab" with falling scores; "ab" before " a".
std::string small_llama2c() {
  std::string file;
  append(file, int32_t{8});
  append_token(file, "<unk>", 0);
  append_token(file, "\n<s>\n", 0);
  append_token(file, "\n</s>\n", 0);
  for (int b = 0; b < 256; ++b) append_token(file, fmt::format("<0x{:02X}>", b), 0);
  append_token(file, "ab", -1);
  append_token(file, " a", -2);
  append_token(file, " ab", -3);
  append_token(file, " ", -4);
  append_token(file, "a", -5);
  append_token(file, "b", -6);
  return file;
}

TEST_F(VocabularyFiles, Llama2cMergesByScore) {
  const Tokenizer t(read_llama2c(write("t.bin", small_llama2c()), 265));
  EXPECT_EQ(t.encode("ab"), (Ids{261}));  // " " + "ab" by the score of " ab"
  EXPECT_EQ(t.encode("aab a"), (Ids{260, 259, 260}));
  EXPECT_EQ(t.encode("\n"), (Ids{262, 3 + 10}));
  EXPECT_EQ(t.encode("a", {.parse_special = false, .add_special = true}), (Ids{1, 260}));
  EXPECT_EQ(t.decode(Ids{1, 260, 13, 261}), "a\n ab");
}

TEST_F(VocabularyFiles, BrokenLlama2cFilesAreErrors) {
  const std::string good = small_llama2c();
  const auto shrinking = write("shrinking.bin", good);
  for (size_t size = good.size(); size-- > 0;) {
    std::filesystem::resize_file(shrinking, size);
    EXPECT_NE(error_of([&] { return read_llama2c(shrinking, 265); }), "") << size;
  }
  EXPECT_NE(error_of([&] { return read_llama2c(write("t.bin", good + "x"), 265); }), "");
  EXPECT_NE(error_of([&] { return read_llama2c(write("t.bin", good), 264); }), "");
  EXPECT_NE(error_of([&] { return read_llama2c(write("t.bin", good), 2000000000); }), "");
  EXPECT_NE(error_of([&] { return read_llama2c(write("t.bin", good), -1); }), "");
  std::string long_token = good;
  const int32_t huge = 0x7FFFFFFF;
  std::memcpy(long_token.data() + 8, &huge, sizeof huge);
  EXPECT_NE(error_of([&] { return read_llama2c(write("t.bin", long_token), 265); }), "");
}

TEST(Stories260K, TokenizerOfLlama2cReadsAndWrites) {
  const auto path = shared_data("models/stories260K/tok512.bin");
  if (!path) GTEST_SKIP() << "no shared data";
  const Tokenizer t(read_llama2c(*path, 512));
  const std::string text =
      "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.";
  const Ids ids = t.encode(text);
  EXPECT_EQ(t.decode(ids), text);
  // llama2.c's run.c starts this story with these ids after BOS: "Once upon a time" is four tokens of the vocabulary.
  EXPECT_EQ(t.token(ids[0]), "\u2581Once");
  EXPECT_LT(ids.size(), 45u);
}

}  // namespace
}  // namespace sesame
