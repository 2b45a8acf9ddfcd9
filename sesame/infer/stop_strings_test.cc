#include "sesame/infer/stop_strings.h"

#include <gtest/gtest.h>

#include "sesame/base/error.h"

namespace sesame {
namespace {

// All that is handed out of `text` when it comes in pieces of `size` bytes.
std::string handed_out(std::vector<std::string> stop, std::string_view text, size_t size) {
  StopStrings stops(std::move(stop));
  std::string result;
  for (size_t i = 0; i < text.size(); i += size) result += stops.push(text.substr(i, size));
  if (!stops.stopped()) result += stops.finish();
  return result;
}

TEST(StopStrings, CutAtTheFirstOneHoweverTheTextComes) {
  for (size_t size = 1; size < 20; ++size) {
    EXPECT_EQ(handed_out({"###"}, "one ## two ### three", size), "one ## two ") << size;
    EXPECT_EQ(handed_out({"two", "one"}, "say one, then two", size), "say ") << size;
    EXPECT_EQ(handed_out({"aab"}, "aaaab!", size), "aa") << size;
    EXPECT_EQ(handed_out({"abc"}, "xx ab", size), "xx ab") << size;
    EXPECT_EQ(handed_out({}, "all of it", size), "all of it") << size;
  }
}

TEST(StopStrings, HoldBackOnlyWhatMayBeOne) {
  StopStrings stops({"\n\nQ:"});
  EXPECT_EQ(stops.push("answer\n"), "answer");
  EXPECT_EQ(stops.push("more"), "\nmore");
  EXPECT_EQ(stops.push("\n\n"), "");
  EXPECT_EQ(stops.push("Q"), "");
  EXPECT_EQ(stops.push("A"), "\n\nQA");
  EXPECT_FALSE(stops.stopped());
  EXPECT_EQ(stops.push(" \n\nQ: what?"), " ");
  EXPECT_TRUE(stops.stopped());
  EXPECT_EQ(stops.push("ignored"), "");
  EXPECT_EQ(stops.finish(), "");
}

TEST(StopStrings, RefuseTheEmptyOne) { EXPECT_THROW(StopStrings({"a", ""}), Error); }

}  // namespace
}  // namespace sesame
