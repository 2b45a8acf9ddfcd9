#pragma once

#include <cstddef>
#include <string_view>

namespace sesame {

/// Bytes of `text` that belong to no well-formed UTF-8 character (Unicode 15, table 3-7). A character that the end
/// of the text cuts off does not count.
size_t count_invalid_utf8(std::string_view text);

/// Where to cut `text`, which goes on behind its end, after at most `limit` < text.size() bytes: behind the last line
/// break that a letter or digit follows, else behind the last line break that no white space follows, else behind the
/// last line break, else at the last boundary between two UTF-8 characters. At least 1 for limit >= 1.
size_t piece_end(std::string_view text, size_t limit);

}  // namespace sesame
