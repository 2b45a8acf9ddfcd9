#include "sesame/text/unigram/json_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace sesame {
namespace {

TEST(AsSerdeReads, DigitsBecomeADoubleBeforeTheyAreDivided) {
  // The digits make more than 2^53: rounded once as an integer, once more by the division.
  EXPECT_EQ(as_serde_reads(-10.413266654746877), -10.413266654746876);
  EXPECT_EQ(as_serde_reads(-9.222574290196015), -9.222574290196016);
  EXPECT_EQ(as_serde_reads(-11.572632130396235), -11.572632130396237);
  EXPECT_EQ(as_serde_reads(-10.413266654746877e-5), -static_cast<double>(10413266654746877) / 1e20);
}

TEST(AsSerdeReads, FewDigitsAreExact) {
  for (const double x :
       {0.0, -0.0, 1.0, -10.0, -3.25, 0.1, 1e22, 1e-22, -12345.678, 4503599627370497.0, 1e300, 5e-324}) {
    EXPECT_EQ(as_serde_reads(x), x) << x;
    EXPECT_EQ(std::signbit(as_serde_reads(x)), std::signbit(x));
  }
}

TEST(AsSerdeReads, GivesTheNumberOrANeighbour) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> scores(-20, 0);
  int others = 0;
  for (int i = 0; i < 20000; ++i) {
    const double x = scores(random);
    const double read = as_serde_reads(x);
    ASSERT_TRUE(read == x || read == std::nextafter(x, 0.0) || read == std::nextafter(x, -100.0)) << x;
    others += read != x ? 1 : 0;
  }
  EXPECT_GT(others, 100);
}

}  // namespace
}  // namespace sesame
