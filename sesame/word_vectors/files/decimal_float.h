#pragma once

#include <string>

namespace sesame {

/// Reads a float32 from decimal digits, correctly rounded: [+-]digits[.digits][e[+-]digits], nan and inf as
/// std::from_chars has them. What is too small becomes 0 or subnormal, what is too large infinite. Returns the end of
/// the number, or nullptr where there is none.
const char* parse_float(const char* begin, const char* end, float& value) noexcept;

/// Appends the fewest digits that read back as the same float32.
void append_float(std::string& text, float value);

}  // namespace sesame
