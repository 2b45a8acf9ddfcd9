#pragma once

#include <string>
#include <string_view>

#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

/// The bytes of a text as characters of GPT-2's alphabet, each of which stands where its character stood.
template <typename Edit>
void spell_characters(std::string_view text, Edit& edit) {
  std::string spelled;
  for (size_t i = 0; i < text.size();) {
    const size_t length = decode_utf8(text, i).length;
    for (size_t k = 0; k < length; ++k) {
      spelled.clear();
      append_utf8(byte_to_code_point(static_cast<uint8_t>(text[i + k])), spelled);
      if (k == 0) {
        edit.put(spelled, length);
      } else {
        edit.insert(spelled);
      }
    }
    i += length;
  }
}

}  // namespace sesame
