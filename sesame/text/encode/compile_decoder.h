#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// What decoding does to the start of a text and between tokens.
struct DecodedStart {
  int32_t strip_count = 0;  // Strip after Fuse: up to so many `strip` off the front of the text
  char strip = ' ';
  std::string drop;        // Metaspace: all of these off the first token, or empty
  bool spaced = false;     // no decoder: spaces between tokens
  bool own_first = false;  // WordPiece: the first token of a text has bytes of its own
};

/// A token on its way into a TokenTable.
struct TokenDraft {
  std::string_view spelling;
  std::string bytes;  // in the middle of a text
  std::string first;  // at the start of a text, where own_first
  bool present = false;
  bool special = false;
  bool added = false;
};

/// Runs the decoders of a pipeline over every token by itself: sets `bytes` and `first` of the drafts and `start`.
/// False where the decoders look at more than one token: then only DecoderChain does what they do. Throws Error,
/// beginning with `origin`, for decoders that cannot be compiled or make tokens of gigabytes.
bool compile_decoder(const TokenizerSpec& spec, std::vector<TokenDraft>& tokens, DecodedStart& start,
                     std::string_view origin);

/// The bytes of a first token from which `drop` is dropped.
std::string without_marks(std::string_view spelling, std::string_view drop);

}  // namespace sesame
