#include "sesame/base/hash.h"

#include <gtest/gtest.h>

#include <string>

#include "sesame/base/crc32c.h"

namespace sesame {
namespace {

TEST(Xxh3, PublishedValues) {
  EXPECT_EQ(xxh3(""), 0x2d06800538d394c2u);  // xxHash's own sanity check, XXH3 64 bits, length 0, seed 0
  EXPECT_NE(xxh3("a"), xxh3("b"));
  EXPECT_NE(xxh3("a"), xxh3("a", 1));
}

TEST(Crc32c, PublishedValues) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  // RFC 3720, appendix B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
}

TEST(Crc32c, ContinuesWhereItStopped) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += static_cast<char>(i * 37);
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(crc32c(std::string_view(text).substr(cut), crc32c(std::string_view(text).substr(0, cut))), crc32c(text));
  }
}

}  // namespace
}  // namespace sesame
