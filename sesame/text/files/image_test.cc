#include "sesame/text/files/image.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"
#include "sesame/base/temporary_directory.h"

namespace sesame {
namespace {

struct alignas(64) Line {
  char bytes[64];
};

/// An image in memory, where 64 divides its address.
ImageReader read(const std::string& file) {
  auto lines = std::make_shared<std::vector<Line>>(file.size() / sizeof(Line) + 1);
  std::memcpy(lines->data(), file.data(), file.size());
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(lines->data()), file.size());
  return ImageReader(bytes, lines, "test.image");
}

std::string image() {
  ImageWriter writer;
  const std::vector<uint32_t> numbers = {1, 2, 3};
  writer.add("numbers", std::span(numbers));
  writer.add("text", std::span(std::string_view("hello")));
  writer.add("none", std::span<const double>());
  return writer.finish();
}

/// Puts the right checksum on a changed table of sections.
std::string resealed(std::string file) {
  const uint64_t checksum = xxh3(std::string_view(file).substr(32, 3 * 64));
  std::memcpy(file.data() + 24, &checksum, sizeof checksum);
  return file;
}

TEST(Image, HoldsWhatWasAdded) {
  const ImageReader reader = read(image());
  EXPECT_EQ(std::vector<uint32_t>(reader.get<uint32_t>("numbers").begin(), reader.get<uint32_t>("numbers").end()),
            (std::vector<uint32_t>{1, 2, 3}));
  const FlatArray<char> text = reader.get<char>("text");
  EXPECT_EQ(std::string_view(text.data(), text.size()), "hello");
  EXPECT_TRUE(reader.get<double>("none").empty());
  EXPECT_TRUE(reader.has("text"));
  EXPECT_FALSE(reader.has("tex"));
}

TEST(Image, TablesOutliveTheReader) {
  const TemporaryDirectory directory;
  write_file_atomically(directory.path() / "t.image", image());
  const FlatArray<uint32_t> numbers = ImageReader(directory.path() / "t.image").get<uint32_t>("numbers");
  EXPECT_EQ(numbers.size(), 3u);
  EXPECT_EQ(numbers.back(), 3u);
}

TEST(Image, FirstBytesAreFixed) {
  const std::string file = image();
  EXPECT_TRUE(ImageReader::recognizes(file));
  EXPECT_EQ(file.substr(0, 16), std::string("SESAMETK\1\0\0\0\3\0\0\0", 16));
  EXPECT_EQ(file.size() % 64, 0u);
}

TEST(Image, EveryShortenedFileIsRefused) {
  const std::string file = image();
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_NE(error_of([&] { read(file.substr(0, size)); }), "no error");
}

TEST(Image, EveryChangedByteIsFound) {
  const std::string file = image();
  const auto use = [](const std::string& bytes) {
    const ImageReader reader = read(bytes);
    (void)reader.get<uint32_t>("numbers");
    (void)reader.get<char>("text");
  };
  // Sections begin at 256 and 320; what fills them up to 64 bytes is nobody's.
  for (size_t i = 0; i < file.size(); ++i) {
    if ((i >= 224 && i < 256) || (i >= 256 + 12 && i < 320) || i >= 320 + 5) continue;
    std::string changed = file;
    changed[i] = static_cast<char>(changed[i] ^ 4);
    EXPECT_NE(error_of([&] { use(changed); }), "no error") << i;
  }
}

TEST(Image, SectionsThatLieOutsideAreRefusedWhateverTheChecksumSays) {
  const std::string file = image();
  for (const size_t field : {size_t{40}, size_t{48}}) {  // offset and bytes of the first section
    for (const uint64_t value : {uint64_t{1} << 20, ~uint64_t{0}, ~uint64_t{0} - 63}) {
      std::string changed = file;
      std::memcpy(changed.data() + 32 + field, &value, sizeof value);
      EXPECT_NE(error_of([&] { read(resealed(changed)); }), "no error") << field << " " << value;
    }
  }
  std::string many = file;
  const uint32_t sections = 1u << 30;
  std::memcpy(many.data() + 12, &sections, sizeof sections);
  EXPECT_NE(error_of([&] { read(many); }), "no error");
}

TEST(Image, SectionsOfAnotherKindAreRefusedByName) {
  const ImageReader reader = read(image());
  EXPECT_NE(error_of([&] { (void)reader.get<uint64_t>("numbers"); }).find("'numbers'"), std::string::npos);
  EXPECT_NE(error_of([&] { (void)reader.get<uint64_t>("absent"); }).find("'absent'"), std::string::npos);
}

TEST(Image, NamesAreUnique) {
  ImageWriter writer;
  writer.add("a", std::span(std::string_view("x")));
  EXPECT_NE(error_of([&] { writer.add("a", std::span(std::string_view("y"))); }), "no error");
  EXPECT_NE(error_of([&] { writer.add(std::string(32, 'a'), std::span(std::string_view("y"))); }), "no error");
}

}  // namespace
}  // namespace sesame
