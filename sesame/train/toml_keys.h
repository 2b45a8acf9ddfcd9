#pragma once

#include <cstddef>
#include <string_view>

namespace sesame {

/// The most dots in one key of a TOML text: 1 in `train.steps = 5` and in `[a.b]`. toml++ makes a table of every part
/// and takes them apart recursively, so that a key of many parts overflows the stack.
size_t most_dots_of_a_key(std::string_view toml);

}  // namespace sesame
