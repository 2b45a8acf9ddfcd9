#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "sesame/base/function_ref.h"
#include "sesame/text/sentencepiece/charsmap.h"

namespace sesame {

/// Hugging Face's Precompiled normalizer: grapheme clusters of less than six bytes that begin with a key of the table
/// are replaced whole, by the rule of the shortest such key; else each character is, in the same way. Bytes that are
/// not UTF-8 stay.
class PrecompiledNormalizer {
 public:
  /// `charsmap`: the bytes of precompiled_charsmap. Throws Error, beginning with `origin`, for a broken one.
  PrecompiledNormalizer(std::string_view charsmap, std::string_view origin) : charsmap_(charsmap, origin) {}

  /// Visits the text from left to right without gaps: bytes [begin, end), a cluster or a character, become
  /// `replacement`, which may be empty. What does not change comes in longer stretches, and there `replacement` is that
  /// part of `text` itself: replacement.data() == text.data() + begin.
  void for_each(std::string_view text,
                FunctionRef<void(size_t begin, size_t end, std::string_view replacement)> visit) const;

  [[nodiscard]] std::string apply(std::string_view text) const;

 private:
  Charsmap charsmap_;
};

}  // namespace sesame
