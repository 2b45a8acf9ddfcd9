#include "sesame/text/unigram/json_score.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace sesame {

double as_serde_reads(double written) {
  if (!std::isfinite(written)) return written;
  std::array<char, 32> buffer;
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(written), std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<size_t>(end.ptr - buffer.data()));
  const size_t e = text.find('e');
  uint64_t digits = 0;  // at most 17
  int decimals = 0;
  for (const char c : text.substr(0, e)) {
    if (c == '.') continue;
    digits = 10 * digits + static_cast<uint64_t>(c - '0');
    ++decimals;
  }
  const std::string_view power = text.substr(e + 1);
  int exponent = 0;
  std::from_chars(power.data() + (power[0] == '+' ? 1 : 0), power.data() + power.size(), exponent);
  exponent -= decimals - 1;
  constexpr int kLargest = 22;  // power of ten that a double holds exactly
  if (std::abs(exponent) > kLargest) return written;
  double ten = 1;
  for (int i = 0; i < std::abs(exponent); ++i) ten *= 10;
  const auto number = static_cast<double>(digits);
  return std::copysign(exponent < 0 ? number / ten : number * ten, written);
}

}  // namespace sesame
