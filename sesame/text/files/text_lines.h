#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "sesame/base/function_ref.h"

namespace sesame {

/// Vocabularies with more bytes than this are refused before they are read.
inline constexpr size_t max_vocabulary_file_bytes = size_t{256} << 20;

/// Calls `visit` for every line without its line end (LF or CR LF), numbered from 1.
inline void for_each_line(std::string_view text, FunctionRef<void(size_t number, std::string_view line)> visit) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    visit(number, line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace sesame
