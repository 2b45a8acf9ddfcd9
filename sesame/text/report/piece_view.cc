#include "sesame/text/report/piece_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

// Pale colours of the 6 x 6 x 6 cube, black on which can be read; neighbours differ in hue.
constexpr std::array kBackgrounds = {225, 194, 189, 230, 195, 223};
constexpr std::string_view kReset = "\x1b[0m";

/// A place in the text that one token, or several that share a character, stand for.
struct Piece {
  TextSpan span;
  size_t tokens = 1;
};

/// Whether a token stands for a space and what follows it, which offsets may leave out.
bool begins_with_space(std::string_view spelling) {
  return spelling.starts_with("\u0120") || spelling.starts_with("\u2581");
}

std::vector<Piece> pieces_of(const Tokenizer& tokenizer, std::string_view text, const Encoding& encoding) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    TextSpan span = encoding.offsets[i];
    const uint64_t shown = pieces.empty() ? 0 : pieces.back().span.end;
    if (span.begin > shown && text[span.begin - 1] == ' ' && begins_with_space(tokenizer.token(encoding.ids[i]))) {
      --span.begin;
    }
    if (!pieces.empty() && span.begin < pieces.back().span.end) {
      pieces.back().span.end = std::max(pieces.back().span.end, span.end);
      ++pieces.back().tokens;
    } else if (span.end > span.begin) {
      pieces.push_back({span});
    }
  }
  return pieces;
}

/// Text fit for a terminal: nothing in it moves the cursor but the line feeds that `line_feed` writes.
std::string visible(std::string_view text, std::string_view line_feed) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    const std::string_view bytes = text.substr(i, c.length);
    i += c.length;
    if (!c.valid) {
      out += fmt::format("<{:02X}>", static_cast<unsigned>(static_cast<uint8_t>(bytes[0])));
    } else if (c.code == '\n') {
      out += line_feed;
    } else if (c.code < 0x20 || c.code == 0x7F) {
      append_utf8(c.code == 0x7F ? 0x2421 : 0x2400 + c.code, out);
    } else if (c.code >= 0x80 && c.code < 0xA0) {
      out += fmt::format("<U+{:04X}>", c.code);
    } else {
      out += bytes;
    }
  }
  return out;
}

std::string subscript(size_t number) {
  std::string out;
  for (const char digit : std::to_string(number)) append_utf8(0x2080 + static_cast<uint32_t>(digit - '0'), out);
  return out;
}

}  // namespace

std::string show_pieces(const Tokenizer& tokenizer, std::string_view text, PieceStyle style,
                        const EncodeOptions& options) {
  const bool color = style == PieceStyle::color;
  std::string out;
  uint64_t shown = 0;
  size_t number = 0;
  for (const Piece& piece : pieces_of(tokenizer, text, tokenizer.encode_full(text, std::nullopt, options))) {
    out += visible(text.substr(shown, piece.span.begin - shown), "\n");
    const std::string begin = color ? fmt::format("\x1b[30;48;5;{}m", kBackgrounds[number % kBackgrounds.size()])
                              : number == 0 ? ""
                                            : "|";
    // The colour ends before a new line begins, or the terminal would paint the rest of the line.
    const std::string line_feed = color ? fmt::format("\u23CE{}\n{}", kReset, begin) : "\u23CE\n";
    out += begin;
    out += visible(text.substr(piece.span.begin, piece.span.end - piece.span.begin), line_feed);
    if (piece.tokens > 1) out += subscript(piece.tokens);
    if (color) out += kReset;
    shown = piece.span.end;
    ++number;
  }
  out += visible(text.substr(shown), "\n");
  if (!out.ends_with('\n')) out += '\n';
  return out;
}

std::string show_token_table(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  const Encoding encoding = tokenizer.encode_full(text, std::nullopt, options);
  std::string out = fmt::format("{:>6} {:>8}  {:<24} {:>17}  text\n", "token", "id", "spelling", "bytes");
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const TextSpan& span = encoding.offsets[i];
    out += fmt::format("{:>6} {:>8}  {:<24} {:>17}  {}\n", i, encoding.ids[i],
                       visible(tokenizer.token(encoding.ids[i]), "\u23CE"), fmt::format("{}-{}", span.begin, span.end),
                       visible(text.substr(span.begin, span.end - span.begin), "\u23CE"));
  }
  return out;
}

}  // namespace sesame
