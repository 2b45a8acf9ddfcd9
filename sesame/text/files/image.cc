#include "sesame/text/files/image.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"

namespace sesame {
namespace {

static_assert(std::endian::native == std::endian::little, "images are little-endian and used in place");

constexpr std::string_view kMagic("SESAMETK", 8);
constexpr uint32_t kVersion = 1;
constexpr size_t kAlignment = 64;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t sections;
  uint64_t file_bytes;
  uint64_t checksum;  // XXH3-64 of the table of sections
};
static_assert(sizeof(Header) == 32);

struct TableEntry {
  char name[32];  // filled up with zeros
  uint64_t element_bytes;
  uint64_t offset;  // of the section in the file
  uint64_t bytes;
  uint64_t checksum;  // XXH3-64 of the section
};
static_assert(sizeof(TableEntry) == 64);

constexpr uint64_t aligned(uint64_t offset) { return (offset + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

void ImageWriter::add_bytes(std::string_view name, size_t element_bytes, std::span<const std::byte> bytes) {
  const bool known =
      std::any_of(sections_.begin(), sections_.end(), [&](const Section& section) { return section.name == name; });
  if (known || name.empty() || name.size() >= sizeof TableEntry::name) {
    fail(fmt::format("the section '{}' of a tokenizer image needs a name of its own of 1 to {} bytes", name,
                     sizeof TableEntry::name - 1));
  }
  sections_.push_back(
      {std::string(name), element_bytes, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size())});
}

std::string ImageWriter::finish() const {
  std::vector<TableEntry> table(sections_.size());
  uint64_t offset = aligned(sizeof(Header) + table.size() * sizeof(TableEntry));
  for (size_t i = 0; i < sections_.size(); ++i) {
    const Section& section = sections_[i];
    TableEntry& entry = table[i];
    entry = {};
    section.name.copy(entry.name, sizeof entry.name - 1);
    entry.element_bytes = section.element_bytes;
    entry.offset = offset;
    entry.bytes = section.bytes.size();
    entry.checksum = xxh3(section.bytes);
    offset = aligned(offset + entry.bytes);
  }
  std::string file(offset, '\0');
  std::memcpy(file.data() + sizeof(Header), table.data(), table.size() * sizeof(TableEntry));
  for (size_t i = 0; i < sections_.size(); ++i) {
    std::memcpy(file.data() + table[i].offset, sections_[i].bytes.data(), sections_[i].bytes.size());
  }
  Header header = {};
  kMagic.copy(header.magic, kMagic.size());
  header.version = kVersion;
  header.sections = static_cast<uint32_t>(sections_.size());
  header.file_bytes = file.size();
  header.checksum = xxh3(std::string_view(file).substr(sizeof(Header), table.size() * sizeof(TableEntry)));
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

ImageReader::ImageReader(const std::filesystem::path& path) : origin_(path.string()) {
  const auto file = std::make_shared<const MappedFile>(path);
  bytes_ = std::as_bytes(file->bytes());
  owner_ = file;
  parse();
}

ImageReader::ImageReader(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, std::string origin)
    : bytes_(bytes), owner_(std::move(owner)), origin_(std::move(origin)) {
  parse();
}

bool ImageReader::recognizes(std::string_view first_bytes) noexcept { return first_bytes.starts_with(kMagic); }

void ImageReader::parse() {
  const auto refuse = [&](std::string_view what) {
    fail(fmt::format("{}: {}: make the file anew with 'sesame tokenizer convert'", origin_, what));
  };
  Header header = {};
  if (bytes_.size() < sizeof header) refuse("too short for a tokenizer image");
  std::memcpy(&header, bytes_.data(), sizeof header);
  if (!recognizes({header.magic, sizeof header.magic})) refuse("no tokenizer image");
  if (header.version != kVersion) {
    refuse(fmt::format("a tokenizer image of version {}, this is for version {}", header.version, kVersion));
  }
  if (header.file_bytes != bytes_.size()) {
    refuse(fmt::format("a tokenizer image of {} bytes of which {} are there", header.file_bytes, bytes_.size()));
  }
  const std::string_view behind(reinterpret_cast<const char*>(bytes_.data()) + sizeof header,
                                bytes_.size() - sizeof header);
  if (header.sections > behind.size() / sizeof(TableEntry)) refuse("a tokenizer image with more sections than bytes");
  if (xxh3(behind.substr(0, header.sections * sizeof(TableEntry))) != header.checksum) {
    refuse("a tokenizer image whose bytes were changed (its checksum differs)");
  }
  for (size_t i = 0; i < header.sections; ++i) {
    const auto* entry = reinterpret_cast<const TableEntry*>(behind.data()) + i;
    const bool inside = entry->offset <= bytes_.size() && entry->bytes <= bytes_.size() - entry->offset;
    if (!inside || entry->offset % kAlignment != 0 || entry->name[sizeof entry->name - 1] != '\0') {
      refuse(fmt::format("section {} of the tokenizer image does not lie in the file", i));
    }
    entries_.push_back(
        {entry->name, entry->element_bytes, bytes_.subspan(entry->offset, entry->bytes), entry->checksum});
  }
}

bool ImageReader::has(std::string_view name) const noexcept {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
}

std::span<const std::byte> ImageReader::section(std::string_view name, size_t element_bytes) const {
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& known) { return known.name == name; });
  if (entry == entries_.end()) fail_section(name, "is missing");
  if (entry->element_bytes != element_bytes || entry->bytes.size() % element_bytes != 0) {
    fail_section(name, fmt::format("holds elements of {} bytes in place of {}", entry->element_bytes, element_bytes));
  }
  if (xxh3(entry->bytes) != entry->checksum) fail_section(name, "was changed (its checksum differs)");
  return entry->bytes;
}

void ImageReader::fail_section(std::string_view name, std::string_view what) const {
  fail(fmt::format("{}: the section '{}' of the tokenizer image {}: make the file anew with 'sesame tokenizer convert'",
                   origin_, name, what));
}

}  // namespace sesame
