#include "sesame/train/toml_keys.h"

#include <gtest/gtest.h>

namespace sesame {
namespace {

TEST(TomlKeys, DotsOfTheKeyWithMost) {
  EXPECT_EQ(most_dots_of_a_key(""), 0U);
  EXPECT_EQ(most_dots_of_a_key("[train]\nsteps = 5\n"), 0U);
  EXPECT_EQ(most_dots_of_a_key("a.b = 1\n[c.d . e]\nf = {g = 1}"), 2U);
  EXPECT_EQ(most_dots_of_a_key("a = {b . \"c.c\" .'d'. e = 1}"), 3U);
}

TEST(TomlKeys, StringsCommentsAndOtherKeysDoNotCount) {
  EXPECT_EQ(most_dots_of_a_key("a = \"x.y.z\" # d.o.t.s\nb.c = 'x.y.\"z'\n"), 1U);
  EXPECT_EQ(most_dots_of_a_key("a = [\"1.a.txt\", '2.b.txt', 1.5, 2.5]\n"), 1U);
  EXPECT_EQ(most_dots_of_a_key("a = \"x\\\".y.z\"\n"), 0U);
  EXPECT_EQ(most_dots_of_a_key("a = \"\"\"x.y\n.z\"\"\"\"\nb.c.d.e = 1"), 3U);
  EXPECT_EQ(most_dots_of_a_key("a = \"never closed . . .\nb.c = 1"), 1U);
}

}  // namespace
}  // namespace sesame
