#include "sesame/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <stdexcept>

#include "sesame/base/error.h"
#include "sesame/base/error_of.h"
#include "sesame/base/fault_injection.h"
#include "sesame/base/temporary_directory.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using Fault = FaultyFileSystem::Fault;

size_t entries_in(const fs::path& directory) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

TEST(WriteFileAtomically, WritesAndReadsBack) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a";
  std::string large;
  for (int i = 0; i < 1000000; ++i) large += static_cast<char>(i * 131 + i / 256);
  for (const std::string& content : {std::string(), std::string("x"), std::string("\0\n\xFF", 3), large}) {
    write_file_atomically(path, content);
    EXPECT_EQ(read_file(path), content);
    EXPECT_EQ(MappedFile(path).text(), content);
    EXPECT_EQ(entries_in(directory.path()), 1u);
  }
}

TEST(WriteFileAtomically, KeepsTheModeOfTheFileItReplaces) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a";
  write_file_atomically(path, "old");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  write_file_atomically(path, "new");
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
}

TEST(WriteFileAtomically, FollowsASymbolicLink) {
  const TemporaryDirectory directory;
  write_file_atomically(directory.path() / "target", "old");
  fs::create_symlink("target", directory.path() / "link");
  write_file_atomically(directory.path() / "link", "new");
  EXPECT_TRUE(fs::is_symlink(directory.path() / "link"));
  EXPECT_EQ(read_file(directory.path() / "target"), "new");
}

TEST(WriteFileAtomically, SaysWhatAFullDiskMeans) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a";
  write_file_atomically(path, "old");
  FaultyFileSystem files(Fault::full_disk, 2);  // create, set_mode, write
  EXPECT_EQ(
      error_of([&] { write_file_atomically(path, "new content", files); }),
      "cannot write " + path.string() + ": No space left on device (needed 11 bytes); the previous file is untouched");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(entries_in(directory.path()), 1u);
}

TEST(WriteFileAtomically, PassesOnWhatTheCallerThrows) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a";
  write_file_atomically(path, "old");
  const auto fill = [](FileWriter& writer) {
    writer.write("half");
    throw std::logic_error("mine");
  };
  EXPECT_THROW(write_file_atomically(path, fill), std::logic_error);
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(entries_in(directory.path()), 1u);
}

TEST(WriteFileAtomically, RefusesADirectoryAndAMissingParent) {
  const TemporaryDirectory directory;
  EXPECT_THAT(error_of([&] { write_file_atomically(directory.path(), "x"); }), HasSubstr("is a directory"));
  EXPECT_THAT(error_of([&] { write_file_atomically(directory.path() / "no/a", "x"); }),
              HasSubstr("No such file or directory"));
}

/// Lets each operation of one write go wrong in turn.
class WriteFileAtomicallyFaults : public testing::TestWithParam<Fault> {};

TEST_P(WriteFileAtomicallyFaults, LeaveTheOldOrTheNewContent) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a";
  const std::string old_content(1000, 'o');
  const std::string new_content(600000, 'n');
  const auto fill = [&](FileWriter& writer) {
    for (size_t i = 0; i < new_content.size(); i += 1000) writer.write(std::string_view(new_content).substr(i, 1000));
  };
  write_file_atomically(path, old_content);
  FaultyFileSystem counting;
  write_file_atomically(path, fill, counting);
  ASSERT_GT(counting.operations(), 6);
  int errors = 0;
  for (int64_t at = 0; at < counting.operations(); ++at) {
    write_file_atomically(path, old_content);
    FaultyFileSystem files(GetParam(), at);
    const bool failed = error_of([&] { write_file_atomically(path, fill, files); }) != "no error";
    errors += failed;
    const std::string content = read_file(path);
    if (failed) {
      // Only the last operation, syncing the directory, comes after the rename.
      EXPECT_EQ(content, at + 1 == counting.operations() ? new_content : old_content) << "operation " << at;
    } else {
      EXPECT_EQ(content, new_content) << "operation " << at;
    }
    if (GetParam() == Fault::crash) {
      for (const auto& entry : fs::directory_iterator(directory.path())) {
        if (entry.path() != path) fs::remove(entry.path());
      }
    }
    EXPECT_EQ(entries_in(directory.path()), 1u) << "operation " << at;
  }
  if (GetParam() == Fault::short_write) {
    EXPECT_EQ(errors, 0);
  } else {
    EXPECT_GE(errors, 3);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, WriteFileAtomicallyFaults,
                         testing::Values(Fault::error, Fault::full_disk, Fault::short_write, Fault::crash));

TEST(FileWriter, OverwritesWhatWasWritten) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a";
  FileWriter writer = FileWriter::create(path);
  writer.write("0000 tail");
  writer.write_at(0, as_bytes("head"));
  EXPECT_THAT(error_of([&] { writer.write_at(6, as_bytes("beyond")); }), HasSubstr("not written yet"));
  writer.write("!");
  writer.close();
  EXPECT_EQ(read_file(path), "head tail!");
}

TEST(FileWriter, Appends) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "a";
  for (const char* text : {"one\n", "two\n"}) {
    FileWriter writer = FileWriter::append(path);
    writer.write(text);
    writer.close();
  }
  EXPECT_EQ(read_file(path), "one\ntwo\n");
}

TEST(FileWriter, FlushShowsTheBytesToReaders) {
  const TemporaryDirectory directory;
  FileWriter writer = FileWriter::create(directory.path() / "a");
  writer.write("x");
  EXPECT_EQ(read_file(directory.path() / "a"), "");
  writer.flush();
  EXPECT_EQ(read_file(directory.path() / "a"), "x");
}

TEST(ReadFile, NamesPathAndReason) {
  const TemporaryDirectory directory;
  EXPECT_THAT(error_of([&] { read_file(directory.path() / "none"); }),
              AllOf(HasSubstr("none"), HasSubstr("No such file or directory")));
  EXPECT_THAT(error_of([&] { read_file(directory.path()); }), HasSubstr("is a directory"));
  write_file_atomically(directory.path() / "a", "12345");
  EXPECT_EQ(read_file(directory.path() / "a", 5), "12345");
  EXPECT_THAT(error_of([&] { read_file(directory.path() / "a", 4); }),
              AllOf(HasSubstr("has 5 bytes"), HasSubstr("more than the 4")));
  FaultyFileSystem files(Fault::error, 1);
  EXPECT_THAT(error_of([&] { read_file(directory.path() / "a", 100, files); }), HasSubstr("Input/output error"));
}

TEST(ReadFile, ReadsFilesThatClaimNoSize) { EXPECT_THAT(read_file("/proc/self/status"), HasSubstr("VmRSS")); }

TEST(MappedFile, NamesPathAndReason) {
  const TemporaryDirectory directory;
  EXPECT_THAT(error_of([&] { MappedFile(directory.path() / "none"); }), HasSubstr("No such file or directory"));
  EXPECT_THAT(error_of([&] { MappedFile{directory.path()}; }), HasSubstr("is a directory"));
}

TEST(MappedFile, MovesItsMapping) {
  const TemporaryDirectory directory;
  write_file_atomically(directory.path() / "a", "first");
  write_file_atomically(directory.path() / "b", "second");
  MappedFile a(directory.path() / "a");
  MappedFile b(directory.path() / "b");
  a = std::move(b);
  EXPECT_EQ(a.text(), "second");
  EXPECT_EQ(a.path(), directory.path() / "b");
  MappedFile c = std::move(a);
  EXPECT_EQ(c.text(), "second");
}

TEST(MakeDirectories, CreatesAllAndAcceptsExisting) {
  const TemporaryDirectory directory;
  make_directories(directory.path() / "x/y/z");
  make_directories(directory.path() / "x/y/z");
  EXPECT_TRUE(fs::is_directory(directory.path() / "x/y/z"));
  write_file_atomically(directory.path() / "f", "");
  EXPECT_THAT(error_of([&] { make_directories(directory.path() / "f/g"); }), HasSubstr("cannot create the directory"));
}

}  // namespace
}  // namespace sesame
