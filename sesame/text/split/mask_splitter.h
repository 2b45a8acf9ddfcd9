#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sesame/text/split/split_pattern.h"

namespace sesame {

/// Splitter::find_ends for a well-known pattern: 64 bytes at a time as masks of the kinds of characters, with the
/// instructions that the processor has. Where masks cannot tell (marks under o200k, a slash behind a line end), and
/// without vectors, the pattern's automaton walks: to the first end of a piece behind the block.
size_t find_ends_by_masks(SplitPattern pattern, std::string_view text, size_t begin, std::span<uint32_t> ends);

}  // namespace sesame
