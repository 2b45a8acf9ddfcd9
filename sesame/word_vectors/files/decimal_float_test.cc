#include "sesame/word_vectors/files/decimal_float.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "sesame/base/philox.h"

namespace sesame {
namespace {

/// The bits of what parse_float reads from the whole text; all ones where it reads nothing or stops early.
uint32_t parsed(const std::string& text) {
  float value = 0;
  const char* const end = parse_float(text.data(), text.data() + text.size(), value);
  return end == text.data() + text.size() ? std::bit_cast<uint32_t>(value) : ~uint32_t{0};
}

uint32_t bits(float value) { return std::bit_cast<uint32_t>(value); }

TEST(DecimalFloat, RoundsAsTheCLibraryDoes) {
  const Philox random(7, 0);
  for (uint64_t i = 0; i < 200'000; ++i) {
    const auto word = random.block(i, 0);
    const float value = std::bit_cast<float>(word[0]);
    if (!std::isfinite(value)) continue;
    // Digits around a float and around the middle of two, where double rounding would show.
    const double middle = (double{value} + double{std::nextafter(value, 0.0F)}) / 2;
    const int digits = 1 + static_cast<int>(word[1] % 20);
    for (const std::string& text :
         {fmt::format("{:.{}e}", value, digits), fmt::format("{:.{}e}", middle, digits),
          fmt::format("{:.{}f}", std::fmod(value, 1000.0F), digits), fmt::format("{:.17g}", middle)}) {
      ASSERT_EQ(parsed(text), bits(std::strtof(text.c_str(), nullptr))) << text;
    }
  }
}

TEST(DecimalFloat, KnowsTheMiddleOfTwoFloats) {
  // 1 + 2^-24 is the middle of 1 and the next float; to double, the second line rounds to that middle as well.
  EXPECT_EQ(parsed("1.000000059604644775390625"), bits(1.0F));
  EXPECT_EQ(parsed("1.000000059604644776"), bits(std::nextafter(1.0F, 2.0F)));
  EXPECT_EQ(parsed("1.0000000596046448"), bits(std::nextafter(1.0F, 2.0F)));
}

TEST(DecimalFloat, ReadsEveryForm) {
  EXPECT_EQ(parsed("0"), bits(0));
  EXPECT_EQ(parsed("-0"), bits(-0.0F));
  EXPECT_EQ(parsed("+1.5"), bits(1.5F));
  EXPECT_EQ(parsed(".5"), bits(0.5F));
  EXPECT_EQ(parsed("5."), bits(5));
  EXPECT_EQ(parsed("1e+3"), bits(1000));
  EXPECT_EQ(parsed("1E-3"), bits(0.001F));
  EXPECT_EQ(parsed("000000000000000000000000000001"), bits(1));
  EXPECT_EQ(parsed("1e-46"), bits(0));
  EXPECT_EQ(parsed("-1e-500"), bits(-0.0F));
  EXPECT_EQ(parsed("1e-40"), bits(1e-40F));
  EXPECT_EQ(parsed("0." + std::string(400, '0') + "1"), bits(0));
  EXPECT_EQ(parsed("3.5e38"), bits(INFINITY));
  EXPECT_EQ(parsed("-1e999"), bits(-INFINITY));
  EXPECT_EQ(parsed(std::string(400, '9')), bits(INFINITY));
  EXPECT_EQ(parsed("inf"), bits(INFINITY));
  EXPECT_EQ(parsed("-nan") & 0x7FFFFFFF, bits(NAN) & 0x7FFFFFFF);
}

TEST(DecimalFloat, RefusesWhatIsNoNumber) {
  for (const char* text : {"", "-", "+", "+-1", ".", "-.", "e5", "x", "1e", "1e+", "1 ", "0x1", "1,5", "--1"}) {
    EXPECT_EQ(parsed(text), ~uint32_t{0}) << text;
  }
}

TEST(DecimalFloat, WritesTheFewestDigitsThatReadBack) {
  std::string text;
  append_float(text, 0.1F);
  EXPECT_EQ(text, "0.1");
  text.clear();
  append_float(text, -1.0F / 3);
  EXPECT_EQ(text, "-0.33333334");
  const Philox random(9, 0);
  for (uint64_t i = 0; i < 100'000; ++i) {
    const float value = std::bit_cast<float>(random.block(i, 0)[0]);
    if (!std::isfinite(value)) continue;
    text.clear();
    append_float(text, value);
    ASSERT_EQ(parsed(text), bits(value)) << text;
  }
}

}  // namespace
}  // namespace sesame
