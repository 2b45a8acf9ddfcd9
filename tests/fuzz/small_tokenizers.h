#pragma once

#include <string>
#include <vector>

#include "sesame/text/tokenizer_spec.h"

namespace sesame::fuzz {

struct SmallTokenizer {
  std::string name;
  TokenizerSpec spec;
  bool lossless = false;  // decode gives back any bytes
};

/// One of each family that has an encoder of its own, over a few letters.
std::vector<SmallTokenizer> small_tokenizers();

/// The spec of a small sentencepiece.model.
TokenizerSpec small_sentencepiece(model::SentencePiece::Type type, bool byte_fallback, std::string charsmap);

}  // namespace sesame::fuzz
