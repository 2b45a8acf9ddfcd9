#include "sesame/analyze/table.h"

#include <gtest/gtest.h>

namespace sesame {
namespace {

TEST(TextTable, AlignsTheFirstColumnLeftAndTheOthersRight) {
  TextTable table({"layer", "n", "share"});
  table.add({"h.0", "1200", "5 %"});
  table.add({"größe", "7"});
  EXPECT_EQ(table.to_string(),
            "layer     n  share\n"
            "------------------\n"
            "h.0    1200    5 %\n"
            "größe     7\n");
}

}  // namespace
}  // namespace sesame
