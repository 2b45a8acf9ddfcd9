#include "sesame/io/npy.h"

#include <gtest/gtest.h>

#include "sesame/base/error_of.h"
#include "sesame/base/temporary_directory.h"

namespace sesame {
namespace {

std::string written(int element_bytes, const std::vector<std::vector<int32_t>>& parts) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "a.npy";
  write_file_atomically(path, [&](FileWriter& file) {
    NpyWriter writer(file, element_bytes);
    for (const std::vector<int32_t>& part : parts) writer.append(part);
    writer.finish();
  });
  return read_file(path);
}

TEST(Npy, BytesAreNumPysFormat) {
  const std::string file = written(2, {{1, 2}, {65535}});
  ASSERT_EQ(file.size(), 128u + 6u);
  EXPECT_EQ(file.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_TRUE(file.substr(10).starts_with("{'descr': '<u2', 'fortran_order': False, 'shape': (3,), } "));
  EXPECT_EQ(file[127], '\n');
  EXPECT_EQ(file.substr(128), std::string("\x01\x00\x02\x00\xff\xff", 6));
}

TEST(Npy, ReadsWhatItWrote) {
  EXPECT_EQ(read_npy(written(4, {{0, 70000}, {}, {INT32_MAX}}), "x"), (std::vector<int32_t>{0, 70000, INT32_MAX}));
  EXPECT_EQ(read_npy(written(2, {}), "x"), std::vector<int32_t>());
}

TEST(Npy, NumbersThatDoNotFitAreRefused) {
  EXPECT_NE(error_of([] { written(2, {{65536}}); }), "no error");
  EXPECT_NE(error_of([] { written(4, {{-1}}); }), "no error");
}

TEST(Npy, ShortenedFilesAreRefused) {
  const std::string file = written(4, {{1, 2, 3}});
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(error_of([&] { read_npy(file.substr(0, size), "x"); }), "no error") << size;
  }
}

TEST(Npy, OtherArraysAreRefusedWithTheReason) {
  const auto changed = [](std::string_view from, std::string_view to) {
    std::string file = written(4, {{1, 2, 3}});
    file.replace(file.find(from), from.size(), to);
    return error_of([&] { read_npy(file, "x"); });
  };
  EXPECT_NE(changed("<u4", "<f4").find("'<f4'"), std::string::npos);
  EXPECT_NE(changed("(3,)", "(1,3)").find("dimension"), std::string::npos);
  EXPECT_NE(changed("(3,), }", "(9999999999999999999,)").find('x'), std::string::npos);
  EXPECT_NE(changed("shape", "shipe").find("'shape'"), std::string::npos);
}

}  // namespace
}  // namespace sesame
