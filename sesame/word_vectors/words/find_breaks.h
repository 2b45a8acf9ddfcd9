#pragma once

#include <cstddef>
#include <cstdint>

namespace sesame {

/// Bit i of breaks[i / 64] says whether text[i] is a space, a tab or a line break, for i in [0, size); the other bits
/// of the last one are 0. Writes up to 64 bytes behind breaks[size / 64].
void find_breaks(const char* text, size_t size, uint64_t* breaks);

/// Copies `text` to `out`, A-Z as a-z, up to the first byte that is not ASCII; returns how many bytes that are. `out`
/// may be `text`.
size_t lower_ascii(const char* text, size_t size, char* out);

}  // namespace sesame
