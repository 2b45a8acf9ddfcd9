#pragma once

#include <string>
#include <string_view>

#include "sesame/text/tokenizer.h"

namespace sesame {

/// How the pieces of a text are told apart.
enum class PieceStyle : uint8_t {
  color,  // backgrounds of a 256-colour terminal, one after the other
  bars,   // "|" between pieces, for terminals without colour and for files
};

/// A text with the pieces that a tokenizer makes of it. Spaces that belong to a piece show as part of it. Tokens that
/// share a character (bytes of it) are one piece, with their number as a subscript. Control characters show as pictures
/// (U+2400 and following), a line feed as U+23CE before the new line.
std::string show_pieces(const Tokenizer& tokenizer, std::string_view text, PieceStyle style,
                        const EncodeOptions& options = {});

/// A table of the tokens, one line each: number, id, the token as its file spells it, bytes of the text, the text.
std::string show_token_table(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options = {});

}  // namespace sesame
