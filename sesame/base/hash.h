#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sesame {

/// XXH3, 64 bits (xxHash 0.8): for identity and detection of damage, not against an adversary.
uint64_t xxh3(std::span<const std::byte> bytes, uint64_t seed = 0);
uint64_t xxh3(std::string_view text, uint64_t seed = 0);

}  // namespace sesame
