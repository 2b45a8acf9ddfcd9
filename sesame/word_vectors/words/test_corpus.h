#pragma once

#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/base/philox.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// For tests: a file of its own.
class TestCorpus {
 public:
  explicit TestCorpus(std::string_view content, std::string_view name = "corpus.txt")
      : path_(directory_.path() / name) {
    write_file_atomically(path_, content);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] WordSourceOptions source() const {
    WordSourceOptions source;
    source.sources = {path_.string()};
    return source;
  }

 private:
  TemporaryDirectory directory_;
  std::filesystem::path path_;
};

/// What the whitespace unit is to make of a text, written down again in the plainest way: sentences of words.
inline std::vector<std::vector<std::string>> plain_sentences(std::string_view text) {
  std::vector<std::vector<std::string>> sentences(1);
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) sentences.back().push_back(word);
    word.clear();
  };
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n') end_word();
    if (c == '\n' && !sentences.back().empty()) sentences.emplace_back();
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') word += c;
  }
  end_word();
  if (sentences.back().empty()) sentences.pop_back();
  return sentences;
}

/// A text of a few letters, much white space of all kinds, and some bytes that are not UTF-8.
inline std::string random_text(uint64_t seed, size_t size) {
  constexpr std::string_view kSymbols[] = {"a", "a",    "a",  "a",  "b",  "b", "b", "c", "c",        "D",
                                           " ", " ",    " ",  " ",  " ",  " ", " ", "0", "\xC3\xA4", "\xE4\xB8\xAD",
                                           "_", "\x7F", "\n", "\n", "\t", "\r"};
  std::string text;
  const Philox random(seed, 0);
  for (uint64_t i = 0; text.size() < size; ++i) {
    const uint32_t draw = random.word(i, 0);
    text += draw % 100 == 0 ? "\xFF" : kSymbols[draw / 100 % std::size(kSymbols)];
  }
  return text;
}

}  // namespace sesame
