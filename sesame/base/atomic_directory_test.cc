#include "sesame/base/atomic_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "sesame/base/error.h"
#include "sesame/base/error_of.h"
#include "sesame/base/fault_injection.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Fault = FaultyFileSystem::Fault;

FileSystem& faultless() {
  static FaultyFileSystem files;
  return files;
}

/// A small checkpoint: two files that must belong together, one of them in a subdirectory.
void save(const fs::path& name, const std::string& content, FileSystem& files = faultless()) {
  AtomicDirectory directory(name, files);
  make_directories(directory.path() / "sub", files);
  for (const char* file : {"weights", "sub/state"}) {
    FileWriter writer = FileWriter::create(directory.path() / file, files);
    writer.write(content + " in " + file);
    writer.close();
  }
  directory.commit();
}

/// The content that a reader finds, checked to be whole.
std::string load(const fs::path& name) {
  const fs::path directory = committed_directory(name);
  const std::string weights = read_file(directory / "weights");
  const std::string content = weights.substr(0, weights.find(" in "));
  EXPECT_EQ(read_file(directory / "sub/state"), content + " in sub/state");
  return content;
}

TEST(AtomicDirectory, ReplacesTheWholeContent) {
  const TemporaryDirectory temporary;
  const fs::path name = temporary.path() / "deep/last";
  save(name, "old", FileSystem::posix());
  EXPECT_EQ(load(name), "old");
  write_file_atomically(name / "extra", "left from before");
  save(name.string() + "/", "new", FileSystem::posix());
  EXPECT_EQ(load(name), "new");
  EXPECT_FALSE(fs::exists(name / "extra"));
  EXPECT_FALSE(fs::exists(temporary.path() / "deep/last.tmp"));
  EXPECT_FALSE(fs::exists(temporary.path() / "deep/last.old"));
}

TEST(AtomicDirectory, WithoutCommitChangesNothing) {
  const TemporaryDirectory temporary;
  const fs::path name = temporary.path() / "last";
  save(name, "old");
  {
    AtomicDirectory directory(name);
    write_file_atomically(directory.path() / "weights", "new");
  }
  EXPECT_EQ(load(name), "old");
  EXPECT_FALSE(fs::exists(temporary.path() / "last.tmp"));
}

TEST(AtomicDirectory, RefusesTheNameOfAFile) {
  const TemporaryDirectory temporary;
  write_file_atomically(temporary.path() / "last", "a file");
  EXPECT_THAT(error_of([&] { AtomicDirectory(temporary.path() / "last"); }), HasSubstr("a file of that name exists"));
  EXPECT_EQ(read_file(temporary.path() / "last"), "a file");
}

TEST(AtomicDirectory, ReplacesWhereASymbolicLinkLeads) {
  const TemporaryDirectory temporary;
  save(temporary.path() / "target", "old");
  fs::create_directory_symlink("target", temporary.path() / "link");
  save(temporary.path() / "link", "new");
  EXPECT_TRUE(fs::is_symlink(temporary.path() / "link"));
  EXPECT_EQ(load(temporary.path() / "target"), "new");
}

/// Every operation of a save goes wrong in turn, in every way, with and without renameat2's exchange.
class AtomicDirectoryFaults : public testing::TestWithParam<std::tuple<Fault, bool>> {
 protected:
  FaultyFileSystem files(Fault fault, int64_t at) const {
    FaultyFileSystem result(fault, at);
    if (!std::get<bool>(GetParam())) result.refuse_exchange();
    return result;
  }
  [[nodiscard]] Fault fault() const { return std::get<Fault>(GetParam()); }
};

TEST_P(AtomicDirectoryFaults, LeaveTheOldOrTheNewContent) {
  const TemporaryDirectory temporary;
  const fs::path name = temporary.path() / "last";
  save(name, "old");
  FaultyFileSystem counting = files(Fault::none, -1);
  save(name, "new", counting);
  ASSERT_GT(counting.operations(), 15);
  int old_found = 0;
  int new_found = 0;
  for (int64_t at = 0; at < counting.operations(); ++at) {
    save(name, "old");
    FaultyFileSystem faulty = files(fault(), at);
    const bool failed = error_of([&] { save(name, "new", faulty); }) != "no error";
    const std::string found = load(name);
    EXPECT_TRUE(found == "new" || (failed && found == "old")) << "operation " << at << ": " << found;
    (found == "old" ? old_found : new_found)++;

    save(name, "next");  // whatever was left behind does not disturb the next save
    EXPECT_EQ(load(name), "next") << "operation " << at;
    EXPECT_EQ(std::distance(fs::directory_iterator(temporary.path()), fs::directory_iterator()), 1)
        << "operation " << at;
  }
  if (fault() == Fault::short_write) {
    EXPECT_EQ(old_found, 0);
  } else {
    EXPECT_GT(old_found, 0);
  }
  EXPECT_GT(new_found, 0);
}

TEST_P(AtomicDirectoryFaults, OfAFirstSaveLeaveNothingOrTheWhole) {
  const TemporaryDirectory temporary;
  const fs::path name = temporary.path() / "last";
  FaultyFileSystem counting = files(Fault::none, -1);
  save(name, "new", counting);
  for (int64_t at = 0; at < counting.operations(); ++at) {
    fs::remove_all(name);
    FaultyFileSystem faulty = files(fault(), at);
    const bool failed = error_of([&] { save(name, "new", faulty); }) != "no error";
    EXPECT_TRUE(failed || fs::exists(name)) << "operation " << at;
    EXPECT_TRUE(!fs::exists(name) || load(name) == "new") << "operation " << at;
    fs::remove_all(temporary.path() / "last.tmp");
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, AtomicDirectoryFaults,
                         testing::Combine(testing::Values(Fault::error, Fault::full_disk, Fault::short_write,
                                                          Fault::crash),
                                          testing::Bool()));

class ManifestTest : public testing::Test {
 protected:
  ManifestTest() : name_(temporary_.path() / "last") { save(name_, "content"); }

  std::string verify() {
    return error_of([&] { verify_manifest(name_); });
  }
  void overwrite(const std::string& file, const std::string& text) {
    write_file_atomically(name_ / file, text, faultless());
  }

  TemporaryDirectory temporary_;
  fs::path name_;
};

TEST_F(ManifestTest, ListsEveryFile) {
  const std::vector<ManifestEntry> entries = verify_manifest(name_);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].path, "sub/state");
  EXPECT_EQ(entries[1].path, "weights");
  EXPECT_EQ(entries[1].bytes, std::string("content in weights").size());
  EXPECT_TRUE(read_file(name_ / kManifestName).starts_with("sesame manifest 1\n"));
}

TEST_F(ManifestTest, FindsAChangedByte) {
  overwrite("weights", "contend in weights");
  EXPECT_THAT(verify(), HasSubstr("does not have the checksum"));
}

TEST_F(ManifestTest, FindsATruncatedFile) {
  overwrite("weights", "content in weight");
  EXPECT_THAT(verify(), HasSubstr("has 17 bytes, but"));
}

TEST_F(ManifestTest, FindsAMissingFile) {
  fs::remove(name_ / "sub/state");
  EXPECT_THAT(verify(), HasSubstr("sub/state: No such file"));
}

TEST_F(ManifestTest, IgnoresOtherFiles) {
  overwrite("README.md", "mine");
  EXPECT_EQ(verify(), "no error");
}

TEST_F(ManifestTest, FindsEveryTruncationAndEveryChangedByteOfItself) {
  const std::string manifest = read_file(name_ / kManifestName);
  for (size_t size = 0; size < manifest.size(); ++size) {
    overwrite(kManifestName, manifest.substr(0, size));
    EXPECT_THAT(verify(), HasSubstr("is damaged")) << size;
  }
  for (size_t at = 0; at < manifest.size(); ++at) {
    std::string changed = manifest;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    overwrite(kManifestName, changed);
    EXPECT_THAT(verify(), HasSubstr("is damaged")) << at;
  }
  fs::remove(name_ / kManifestName);
  EXPECT_THAT(verify(), HasSubstr("has no MANIFEST"));
}

TEST_F(ManifestTest, CommittedDirectoryFallsBackToTheOldName) {
  fs::rename(name_, temporary_.path() / "last.old");
  EXPECT_EQ(committed_directory(name_), temporary_.path() / "last.old");
  EXPECT_THAT(error_of([&] { committed_directory(temporary_.path() / "other"); }), HasSubstr("has no MANIFEST"));
}

}  // namespace
}  // namespace sesame
