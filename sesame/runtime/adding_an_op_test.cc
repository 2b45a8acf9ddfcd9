#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path << ": tests run in the source directory";
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Blocks of the page that begin with ```cpp PATH are quotations of that file.
TEST(AddingAnOpTest, QuotesTheCodeAsItIs) {
  std::istringstream page(contents("docs/adding_an_op.md"));
  const std::string fence = "```cpp ";
  int quotations = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with(fence)) continue;
    std::string quotation;
    for (std::string code; std::getline(page, code) && code != "```";) quotation += code + "\n";
    EXPECT_THAT(contents(line.substr(fence.size())), testing::HasSubstr(quotation));
    ++quotations;
  }
  EXPECT_GE(quotations, 10);
}

}  // namespace
