#include "sesame/word_vectors/files/decimal_float.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <limits>

namespace sesame {
namespace {

constexpr int kMostExact = 22;  // 10^22 is the highest power of ten that a double holds exactly
constexpr std::array<double, kMostExact + 1> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                             1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                             1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool is_digit(char c) noexcept { return static_cast<unsigned>(c - '0') < 10; }

/// Any number, slowly.
const char* parse_any(const char* begin, const char* end, float& value) noexcept {
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc()) return stop;
  if (error != std::errc::result_out_of_range) return nullptr;
  // from_chars says the same of too small and too large.
  double wide = 0;
  const bool in_range = std::from_chars(begin, end, wide).ec == std::errc();
  if (in_range) {
    value = static_cast<float>(wide);
    return stop;
  }
  // Beyond double: the sign of the exponent decides; without one, digits before the point are many.
  bool small =
      *begin == '0' || *begin == '.' || (*begin == '-' && end - begin > 1 && (begin[1] == '0' || begin[1] == '.'));
  for (const char* p = begin; p < stop; ++p) {
    if (*p == 'e' || *p == 'E') small = p[1] == '-';
  }
  value = small ? 0 : std::numeric_limits<float>::infinity();
  if (*begin == '-') value = -value;
  return stop;
}

}  // namespace

const char* parse_float(const char* begin, const char* end, float& value) noexcept {
  if (begin < end && *begin == '+') {
    if (++begin < end && *begin == '-') return nullptr;
  }
  const char* p = begin;
  const bool negative = p < end && *p == '-';
  p += negative;
  uint64_t digits = 0;  // of at most 19 decimal places
  const char* const first = p;
  while (p < end && is_digit(*p)) digits = digits * 10 + static_cast<uint64_t>(*p++ - '0');
  int64_t places = p - first;
  int64_t exponent = 0;
  if (p < end && *p == '.') {
    const char* const fraction = ++p;
    while (p < end && is_digit(*p)) digits = digits * 10 + static_cast<uint64_t>(*p++ - '0');
    exponent = fraction - p;
    places -= exponent;
  }
  if (places == 0 || places > 19) return parse_any(begin, end, value);
  if (p < end && (*p == 'e' || *p == 'E')) {
    const char* q = p + 1;
    const bool below = q < end && *q == '-';
    q += below || (q < end && *q == '+');
    int64_t power = 0;
    const char* const power_begin = q;
    while (q < end && is_digit(*q) && q - power_begin < 4) power = power * 10 + (*q++ - '0');
    if (q == power_begin || q - power_begin == 4) return parse_any(begin, end, value);
    exponent += below ? -power : power;
    p = q;
  }
  if (digits >= uint64_t{1} << 53 || exponent < -kMostExact || exponent > kMostExact) {
    return parse_any(begin, end, value);
  }
  // Clinger's fast path: both are exact in double, so that it is rounded once.
  const double exact = static_cast<double>(digits);
  const double wide = exponent < 0 ? exact / kPowersOfTen[static_cast<size_t>(-exponent)]
                                   : exact * kPowersOfTen[static_cast<size_t>(exponent)];
  // The second rounding, to float, errs only where the first one has hit the middle between two floats, or in
  // subnormals, whose middles lie elsewhere.
  constexpr uint64_t kBelowFloat = (uint64_t{1} << 29) - 1;
  const bool middle = (std::bit_cast<uint64_t>(wide) & kBelowFloat) == uint64_t{1} << 28;
  if (middle || (digits != 0 && wide < std::numeric_limits<float>::min())) return parse_any(begin, end, value);
  value = static_cast<float>(negative ? -wide : wide);
  return p;
}

void append_float(std::string& text, float value) {
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  text.append(digits.data(), end);
}

}  // namespace sesame
