#include "sesame/word_vectors/train/vector_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

Vocabulary words() { return Vocabulary({{"one", 3}, {"two", 2}, {"three", 1}}); }

VectorOptions options() {
  VectorOptions o;
  o.dim = 5;
  return resolved(o);
}

TEST(VectorCheckpoint, RoundTrip) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "v.resume";
  VectorTables written = initial_tables(options(), 3);
  written.output.row(2)[4] = 2.5f;
  write_vector_checkpoint(path, options(), words(), written, {.epoch = 2, .chunk = 7, .words = 123456789012});
  VectorTables read = initial_tables(options(), 3);
  std::fill_n(read.input.row(0), 3 * read.input.stride, 9.0f);
  const VectorPosition position = read_vector_checkpoint(path, options(), words(), read);
  EXPECT_EQ(position.epoch, 2);
  EXPECT_EQ(position.chunk, 7);
  EXPECT_EQ(position.words, 123456789012u);
  EXPECT_TRUE(std::equal(read.input.row(0), read.input.row(0) + 3 * read.input.stride, written.input.row(0)));
  EXPECT_TRUE(std::equal(read.output.row(0), read.output.row(0) + 3 * read.output.stride, written.output.row(0)));
}

TEST(VectorCheckpoint, OfAnotherRunIsRefused) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "v.resume";
  VectorTables tables = initial_tables(options(), 3);
  write_vector_checkpoint(path, options(), words(), tables, {});
  VectorOptions other = options();
  other.window = 3;
  EXPECT_THAT(error_of([&] { read_vector_checkpoint(path, other, words(), tables); }), HasSubstr("window=3"));
  const Vocabulary recounted({{"one", 3}, {"two", 2}, {"four", 1}});
  EXPECT_THAT(error_of([&] { read_vector_checkpoint(path, options(), recounted, tables); }),
              HasSubstr("corpus has changed"));
}

TEST(VectorCheckpoint, CutShortAnywhereIsRefused) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "v.resume";
  VectorTables tables = initial_tables(options(), 3);
  write_vector_checkpoint(path, options(), words(), tables, {});
  const std::string whole = read_file(path);
  for (size_t size = 0; size < whole.size(); ++size) {
    write_file_atomically(path, std::string_view(whole).substr(0, size));
    EXPECT_NE(error_of([&] { read_vector_checkpoint(path, options(), words(), tables); }), "no error") << size;
  }
}

}  // namespace
}  // namespace sesame
