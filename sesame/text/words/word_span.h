#pragma once

#include <cstdint>
#include <string_view>

namespace sesame {

/// A word as bytes [begin, begin + size) of a text; size 0: no word (a sentence ends here).
struct WordSpan {
  uint32_t begin = 0;
  uint32_t size = 0;
};

/// A word and how often it occurs.
struct WordCount {
  std::string_view word;
  uint64_t count = 0;
};

}  // namespace sesame
