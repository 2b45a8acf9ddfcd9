#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/unigram/train/sentence_words.h"

namespace sesame::unigram {

inline constexpr uint32_t kTab = 0x09;        // where a reserved string stood
inline constexpr uint32_t kSpace = 0x2581;    // ▁
inline constexpr uint32_t kUnknown = 0x2585;  // ▅: a character that is not required

struct CharacterCount {
  uint32_t code = 0;  // code point
  uint64_t count = 0;
};

/// The characters that the vocabulary must hold: those of `required_chars`, then the most frequent ones of the text
/// until `coverage` of it is covered. `counts`: of each code point. By falling count, then by code.
std::vector<CharacterCount> required_characters(const std::vector<uint64_t>& counts, std::string_view required_chars,
                                                float coverage);

/// The words as numbers: letters are ranks of characters in the order of their code points.
struct TrainingText {
  /// A word together with what followed it: the next letter, letters[begin + length].
  struct Entry {
    uint32_t begin = 0;  // in letters
    uint32_t length = 0;
    uint64_t count = 0;
  };
  struct Word {
    uint32_t begin = 0;
    uint32_t length = 0;
    uint64_t count = 0;
  };

  std::vector<CharacterCount> required;
  std::vector<uint32_t> codes;        // by rank, rising; codes[0] is SentenceWords::kEnd
  std::vector<uint64_t> code_counts;  // by rank
  uint32_t unknown = 0;               // the rank of ▅
  std::vector<uint32_t> letters;      // the entries, each with its next letter behind it
  std::vector<Entry> entries;
  std::vector<Word> words;  // at the letters of their first entry

  [[nodiscard]] std::string string_of(uint32_t begin, uint32_t length) const;
};

/// Characters that are not required become ▅. Throws Error where the distinct words have 2^32 characters or more.
TrainingText make_training_text(SentenceWords& words, std::string_view required_chars, float coverage);

}  // namespace sesame::unigram
