#include "sesame/text/sentencepiece/precompiled_normalizer.h"

#include <utf8proc.h>

#include <algorithm>

#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

constexpr size_t longest_whole_cluster = 5;

/// The end of the grapheme cluster (UAX #29) at `begin`.
size_t cluster_end(std::string_view text, size_t begin) {
  Utf8Char character = decode_utf8(text, begin);
  size_t end = begin + character.length;
  utf8proc_int32_t state = 0;
  while (end < text.size() && character.valid) {
    const Utf8Char next = decode_utf8(text, end);
    if (!next.valid || utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(character.code),
                                                        static_cast<utf8proc_int32_t>(next.code), &state)) {
      break;
    }
    character = next;
    end += next.length;
  }
  return end;
}

bool is_ascii(char c) { return static_cast<uint8_t>(c) < 0x80; }

}  // namespace

void PrecompiledNormalizer::for_each(
    std::string_view text, FunctionRef<void(size_t begin, size_t end, std::string_view replacement)> visit) const {
  size_t unchanged = 0;  // where the stretch that does not change begins
  const auto replace = [&](size_t begin, size_t end) {
    const Charsmap::Match match = charsmap_.shortest_prefix(text.substr(begin, end - begin));
    if (match.length == 0) return false;
    if (begin > unchanged) visit(unchanged, begin, text.substr(unchanged, begin - unchanged));
    visit(begin, end, match.replacement);
    unchanged = end;
    return true;
  };
  for (size_t i = 0; i < text.size();) {
    // Of ASCII characters only \r\n is a cluster of two.
    const bool alone = is_ascii(text[i]) && (i + 1 == text.size() || (is_ascii(text[i + 1]) && text[i] != '\r'));
    if (alone && !charsmap_.begins_key(static_cast<uint8_t>(text[i]))) {
      ++i;
      continue;
    }
    const size_t end = alone ? i + 1 : cluster_end(text, i);
    if (end - i > longest_whole_cluster || !replace(i, end)) {
      while (i < end) {
        const size_t next = i + decode_utf8(text, i).length;
        replace(i, next);
        i = next;
      }
    }
    i = end;
  }
  if (text.size() > unchanged) visit(unchanged, text.size(), text.substr(unchanged));
}

std::string PrecompiledNormalizer::apply(std::string_view text) const {
  std::string result;
  result.reserve(text.size());
  for_each(text, [&](size_t, size_t, std::string_view replacement) { result += replacement; });
  return result;
}

}  // namespace sesame
