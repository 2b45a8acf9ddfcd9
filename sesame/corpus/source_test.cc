#include "sesame/corpus/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Sources : public testing::Test {
 protected:
  std::string at(const std::string& name) const { return (directory_.path() / name).string(); }

  std::vector<std::string> names(const std::vector<std::string>& sources) const {
    std::vector<std::string> names;
    for (const CorpusFile& file : expand_sources(sources)) {
      names.push_back(std::filesystem::path(file.path).filename().string());
    }
    return names;
  }

  std::string error_of(const std::vector<std::string>& sources) const {
    try {
      expand_sources(sources);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryDirectory directory_;
};

TEST_F(Sources, KeepsTheOrderGivenAndSortsMatches) {
  for (const char* name : {"b.txt", "a.txt", "c.md", "odd[1].txt"}) write_file_atomically(at(name), "text");
  EXPECT_THAT(names({at("c.md"), at("?.txt"), "-"}), ElementsAre("c.md", "a.txt", "b.txt", "-"));
  EXPECT_THAT(names({at("odd[1].txt")}), ElementsAre("odd[1].txt"));
}

TEST_F(Sources, TellsWhatIdentifiesAFile) {
  write_file_atomically(at("a.txt"), "text");
  const CorpusFile file = expand_sources({at("a.txt")}).front();
  EXPECT_TRUE(file.regular);
  EXPECT_EQ(file.bytes, 4u);
  EXPECT_GT(file.modified_nanoseconds, 1'000'000'000'000'000'000);
  ASSERT_EQ(::mkfifo(at("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(expand_sources({at("pipe")}).front().regular);
  EXPECT_FALSE(expand_sources({"-"}).front().regular);
}

TEST_F(Sources, SaysWhatIsWrong) {
  EXPECT_THAT(error_of({}), HasSubstr("no corpus"));
  EXPECT_THAT(error_of({at("none.txt")}), HasSubstr("none.txt: can't open: No such file"));
  EXPECT_THAT(error_of({at("*.none")}), HasSubstr("*.none: no file matches"));
  EXPECT_THAT(error_of({directory_.path().string()}), HasSubstr("is a directory"));
  EXPECT_THAT(error_of({"-", "-"}), HasSubstr("named twice"));
}

}  // namespace
}  // namespace sesame
