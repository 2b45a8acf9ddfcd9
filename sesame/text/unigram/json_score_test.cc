#include "sesame/text/unigram/json_score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace sesame {
namespace {

TEST(AsSerdeReads, DigitsBecomeADoubleBeforeTheyAreDivided) {
  // 92233720368547765 lies between two doubles that are 16 apart, and so is rounded before it is divided.
  EXPECT_EQ(as_serde_reads(-9.2233720368547765), -static_cast<double>(92233720368547765) / 1e16);
  EXPECT_EQ(as_serde_reads(1.7976931348623157e-5), static_cast<double>(17976931348623157) / 1e21);
  EXPECT_EQ(as_serde_reads(1.2345678901234567e18), static_cast<double>(12345678901234567) * 100);
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
