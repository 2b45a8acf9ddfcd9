#include "sesame/text/encode/compile_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/pipeline/decoder_chain.h"
#include "sesame/text/pipeline/pattern_finder.h"

namespace sesame {
namespace {

/// Replacements that feed each other could make gigabytes of a short vocabulary: a table's tokens take no more than
/// this.
size_t most_bytes(const TokenizerSpec& spec) {
  size_t bytes = size_t{16} << 20;
  for (const VocabularyEntry& entry : spec.vocabulary) bytes += 4 * entry.token.size();
  return bytes;
}

std::string replace_all(std::string_view text, const PatternFinder& finder, std::string_view content, size_t most) {
  std::string out;
  size_t done = 0;
  finder.for_each_match(text, [&](size_t begin, size_t end) {
    out.append(text.substr(done, begin - done)).append(content);
    done = end;
    if (out.size() > most) fail("the tokenizer's decoder makes its tokens too long: a Replace is at fault");
  });
  return out.append(text.substr(done));
}

/// A Strip before the tokens are fused works on each token.
std::string strip_token(std::string_view token, const decoder::Strip& strip) {
  for (int32_t i = 0; i < strip.start && token.starts_with(strip.content); ++i) {
    token.remove_prefix(strip.content.size());
  }
  for (int32_t i = 0; i < strip.stop && token.ends_with(strip.content); ++i) token.remove_suffix(strip.content.size());
  return std::string(token);
}

bool set_text_strip(const decoder::Strip& strip, DecodedStart& start) {
  if (strip.stop > 0 || strip.content.size() != 1 || start.strip_count > 0) return false;
  start.strip = strip.content[0];
  start.strip_count = strip.start;
  return true;
}

void decode_word_pieces(const decoder::WordPiece& step, std::vector<TokenDraft>& tokens, std::string_view origin) {
  const DecoderChain chain({step}, origin);
  for (TokenDraft& token : tokens) {
    const std::string_view spelling = token.spelling;
    const bool continues = !step.prefix.empty() && spelling.starts_with(step.prefix);
    token.bytes = continues ? std::string(spelling.substr(step.prefix.size())) : fmt::format(" {}", spelling);
    // All that is cleaned up holds one of these.
    if (spelling.find_first_of(".?!,' ") != std::string_view::npos) {
      token.bytes = chain.decode(std::array<std::string_view, 2>{"x", spelling}).substr(1);
      token.first = chain.decode(std::array<std::string_view, 1>{spelling});
    } else {
      token.first = spelling;
    }
  }
}

}  // namespace

bool compile_decoder(const TokenizerSpec& spec, std::vector<TokenDraft>& tokens, DecodedStart& start,
                     std::string_view origin) {
  for (TokenDraft& token : tokens) token.bytes = token.spelling;
  start.spaced = spec.decoders.empty();
  if (spec.decoders.size() == 1 && std::holds_alternative<decoder::WordPiece>(spec.decoders.front())) {
    decode_word_pieces(std::get<decoder::WordPiece>(spec.decoders.front()), tokens, origin);
    start.own_first = true;
    return true;
  }
  bool fused = false;
  for (const decoder::Step& step : spec.decoders) {
    if (const auto* strip = std::get_if<decoder::Strip>(&step); strip != nullptr && fused) {
      if (!set_text_strip(*strip, start)) return false;
    } else if (std::holds_alternative<decoder::Fuse>(step)) {
      fused = true;
    } else if (fused) {
      return false;
    } else if (std::holds_alternative<decoder::ByteLevel>(step)) {
      // Added tokens are text, not spellings of bytes.
      for (TokenDraft& token : tokens) {
        if (auto bytes = unspell_bytes(token.bytes); bytes && !token.added) token.bytes = std::move(*bytes);
      }
      fused = true;
    } else if (const auto* replace = std::get_if<decoder::Replace>(&step)) {
      const PatternFinder finder(replace->pattern, fmt::format("{}: decoder", origin));
      size_t left = most_bytes(spec);
      for (TokenDraft& token : tokens) {
        token.bytes = replace_all(token.bytes, finder, replace->content, left);
        left -= std::min(left, token.bytes.size());
      }
    } else if (std::holds_alternative<decoder::ByteFallback>(step)) {
      for (TokenDraft& token : tokens) {
        if (const auto byte = parse_byte_token(token.bytes)) token.bytes.assign(1, static_cast<char>(*byte));
      }
    } else if (const auto* metaspace = std::get_if<decoder::Metaspace>(&step)) {
      const PatternFinder finder({metaspace->replacement, false}, origin);
      for (TokenDraft& token : tokens) token.bytes = replace_all(token.bytes, finder, " ", SIZE_MAX);
      if (metaspace->prepend_scheme != pre_tokenizer::PrependScheme::never) start.drop = metaspace->replacement;
    } else if (const auto* strip_each = std::get_if<decoder::Strip>(&step)) {
      for (TokenDraft& token : tokens) token.bytes = strip_token(token.bytes, *strip_each);
    } else {
      return false;
    }
  }
  return true;
}

std::string without_marks(std::string_view spelling, std::string_view drop) {
  return replace_all(spelling, PatternFinder({std::string(drop), false}, ""), "", SIZE_MAX);
}

}  // namespace sesame
