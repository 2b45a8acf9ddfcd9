#include "sesame/text/pipeline/text_edit.h"

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

AlignedText align(std::string_view text, size_t begin) {
  if (begin + text.size() > UINT32_MAX) fail("offsets are for texts of less than 4 GiB: cut the text in parts");
  AlignedText aligned;
  aligned.text = text;
  aligned.base = static_cast<uint32_t>(begin);
  aligned.spans.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t length = decode_utf8(text, i).length;
    const auto first = static_cast<uint32_t>(begin + i);
    aligned.spans.insert(aligned.spans.end(), length, {first, first + static_cast<uint32_t>(length)});
    i += length;
  }
  return aligned;
}

PlainView plain_view(std::string_view text, bool at_start) {
  return {text, at_start && !text.empty() ? decode_utf8(text, 0).length : size_t{0}};
}

}  // namespace sesame
