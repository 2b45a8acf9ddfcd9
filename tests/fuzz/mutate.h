#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sesame::fuzz {

/// Seed number `index` changed in one to four places, a pure function of the arguments: bits and bytes, machine words
/// at the edges of their types, numbers written in digits, pieces cut, doubled, repeated or taken from another seed,
/// brackets nested deeply. At most 128 KiB.
std::string mutate(std::span<const std::string> seeds, size_t index, uint64_t seed, uint64_t stream);

}  // namespace sesame::fuzz
