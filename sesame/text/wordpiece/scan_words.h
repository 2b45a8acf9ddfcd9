#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sesame/text/wordpiece/bert_characters.h"

namespace sesame {

/// Normalizes text and finds its words in one pass: what scan_words works on. Words lie in `bytes`, one behind another;
/// what separates them is not written, or lies between them.
struct WordScan {
  static constexpr size_t max_words = 512;

  const char* text = nullptr;  // what is left of the text
  const char* end = nullptr;
  std::vector<char> bytes;  // normalized; readable 16 bytes behind the last word
  size_t size = 0;
  std::array<uint32_t, max_words> begins;  // of words, in `bytes`
  std::array<uint32_t, max_words> ends;
  size_t begun = 0;
  size_t ended = 0;  // words that are whole; there is at most one more that has begun

  // Bytes that are not UTF-8 are parts of words. Stage after stage, they may become a character when what stands
  // between them is dropped: where `joins` is set, `text` is at a byte that may be so, of the word that has begun.
  bool joins = false;
  const char* raw_end = nullptr;  // behind the last byte that is not UTF-8
};

/// Takes text until some hundred words are whole or the text is at its end; the last word of the text is whole then.
/// Words of the call before are dropped, but for the one that has only begun. Stops where `joins` is set, too.
void scan_words(const BertCharacters& characters, WordScan& scan);

}  // namespace sesame
