#include <algorithm>
#include <cstring>

#include "sesame/base/hash.h"
#include "sesame/text/files/image.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

/// Reads every byte of a section.
template <typename T>
void use_section(const ImageReader& image, std::string_view name) {
  allow_error([&] { static_cast<void>(xxh3(std::as_bytes(image.get<T>(name).span()))); });
}

void use(std::string_view bytes) {
  const ImageReader image(scratch_file("tokenizer.image", bytes));
  for (const std::string_view name : {"numbers", "bytes", ""}) {
    use_section<uint32_t>(image, name);
    use_section<uint8_t>(image, name);
    use_section<uint64_t>(image, name);
  }
}

// As in files/image.cc.
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t sections;
  uint64_t file_bytes;
  uint64_t checksum;  // of the table of sections
};
struct Section {
  char name[32];
  uint64_t element_bytes;
  uint64_t offset;
  uint64_t bytes;
  uint64_t checksum;
};

/// The same bytes with the length and the checksums that hold, as an ill-meaning writer would make them.
std::string with_checksums(std::string bytes) {
  Header header;
  if (bytes.size() < sizeof header) return bytes;
  std::memcpy(&header, bytes.data(), sizeof header);
  const size_t sections = std::min<size_t>(header.sections, (bytes.size() - sizeof header) / sizeof(Section));
  for (size_t i = 0; i < sections; ++i) {
    char* const entry = bytes.data() + sizeof header + i * sizeof(Section);
    Section section;
    std::memcpy(&section, entry, sizeof section);
    if (section.offset > bytes.size()) continue;
    section.checksum = xxh3(std::string_view(bytes).substr(section.offset, section.bytes));
    std::memcpy(entry, &section, sizeof section);
  }
  header.file_bytes = bytes.size();
  header.checksum = xxh3(std::string_view(bytes).substr(sizeof header, sections * sizeof(Section)));
  std::memcpy(bytes.data(), &header, sizeof header);
  return bytes;
}

void parse(std::string_view input) {
  allow_error([&] { use(input); });
  use(with_checksums(std::string(input)));
}

std::vector<std::string> seeds() {
  ImageWriter writer;
  const std::vector<uint32_t> numbers = {1, 2, 3, 4, 5};
  const std::vector<uint8_t> bytes(100, 7);
  writer.add("numbers", std::span<const uint32_t>(numbers));
  writer.add("bytes", std::span<const uint8_t>(bytes));
  return {writer.finish(), ImageWriter().finish()};
}

const Target target("tokenizer_image", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
