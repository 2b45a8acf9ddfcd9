#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/unigram/train/word_counts.h"

namespace sesame::unigram {

inline constexpr uint32_t kTab = 0x09;        // where a reserved string stood
inline constexpr uint32_t kSpace = 0x2581;    // ▁
inline constexpr uint32_t kUnknown = 0x2585;  // ▅: a character that is not required

struct CharacterCount {
  uint32_t code = 0;  // code point
  uint64_t count = 0;
};

/// The characters that the vocabulary must hold: those of `required_chars`, then the most frequent ones of the text
/// until `coverage` of it is covered. By falling count, then by code.
std::vector<CharacterCount> required_characters(WordCounts& words, std::string_view required_chars, float coverage);

/// The words as numbers: letters are ranks of characters in the order of their code points.
struct TrainingText {
  /// One word, and by what it was followed where that differs between two entries.
  struct Entry {
    uint32_t begin = 0;   // in letters
    uint32_t length = 0;  // the next letter, letters[begin + length], left out
    uint64_t count = 0;
  };
  struct Word {
    uint32_t begin = 0;
    uint32_t length = 0;
    uint64_t count = 0;
  };

  std::vector<uint32_t> codes;        // by rank, rising; codes[0] is kEnd
  std::vector<uint64_t> code_counts;  // by rank
  uint32_t unknown = 0;               // the rank of ▅
  std::vector<uint32_t> letters;      // the entries, each with its next letter behind it
  std::vector<Entry> entries;
  std::vector<Word> words;  // at the letters of their first entry

  [[nodiscard]] std::string string_of(uint32_t begin, uint32_t length) const;
};

/// Characters outside `required` become ▅. Throws Error where the distinct words have 2^32 characters or more.
TrainingText make_training_text(WordCounts& words, const std::vector<CharacterCount>& required);

}  // namespace sesame::unigram
