#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/text/unigram/train/sentence_words.h"
#include "sesame/text/unigram/train/training_text.h"

/// For tests of unigram training.
namespace sesame::unigram {

/// Normalized sentences of words over a few letters, where many substrings come again.
inline std::vector<std::string> random_sentences(uint32_t seed, size_t count, const std::vector<std::string>& letters,
                                                 size_t longest_word) {
  std::mt19937 random(seed);
  std::vector<std::string> sentences;
  for (size_t i = 0; i < count; ++i) {
    std::string sentence;
    for (size_t words = 1 + random() % 6; words > 0; --words) {
      sentence += "\xE2\x96\x81";
      for (size_t length = 1 + random() % longest_word; length > 0; --length)
        sentence += letters[std::min(random() % letters.size(), random() % letters.size())];
    }
    sentences.push_back(sentence);
  }
  return sentences;
}

inline TrainingText text_of(const std::vector<std::string>& sentences, const WordRules& rules, ThreadPool& threads) {
  SentenceWords::Options options;
  options.rules = rules;
  options.normalize = [](std::string_view line, std::string&) { return line; };
  SentenceWords words(options, threads);
  for (const std::string& sentence : sentences) words.add(sentence);
  return make_training_text(words, "", 1);
}

}  // namespace sesame::unigram
