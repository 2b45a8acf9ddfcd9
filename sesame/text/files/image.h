#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/flat_array.h"

/// The compiled tables of a tokenizer as one file that is mapped and used in place: what a fresh process opens in a
/// millisecond. Named sections of little-endian elements, each aligned to 64 bytes and with a checksum of its own, so
/// that what is not asked for is not read. docs/formats.md has it to the byte.
namespace sesame {

class ImageWriter {
 public:
  /// Adds a section; names are unique and have at most 31 bytes.
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void add(std::string_view name, std::span<const T> elements) { add_bytes(name, sizeof(T), std::as_bytes(elements)); }
  template <typename T>
  void add(std::string_view name, const FlatArray<T>& elements) {
    add(name, elements.span());
  }

  /// The whole file.
  [[nodiscard]] std::string finish() const;

 private:
  void add_bytes(std::string_view name, size_t element_bytes, std::span<const std::byte> bytes);

  struct Section {
    std::string name;
    uint64_t element_bytes;
    std::string bytes;
  };
  std::vector<Section> sections_;
};

/// Whether all elements pass a test. Looks at every one, which lets the compiler use vectors.
template <typename T, typename Test>
[[nodiscard]] bool all_pass(std::span<const T> elements, Test test) {
  bool pass = true;
  for (const T& element : elements) pass &= test(element);
  return pass;
}

/// Whether no element is less than the one before it.
template <typename T>
[[nodiscard]] bool is_rising(std::span<const T> elements) {
  bool rising = true;
  for (size_t i = 1; i < elements.size(); ++i) rising &= elements[i - 1] <= elements[i];
  return rising;
}

/// Whoever takes a table from an image checks that its indices are in range: a checksum does not say who wrote it.
class ImageReader {
 public:
  /// Maps a file. Throws Error that names it where it is no image, of another version, or shortened.
  explicit ImageReader(const std::filesystem::path& path);
  /// An image in memory, which lives as long as `owner`, at an address that 64 divides.
  ImageReader(std::span<const std::byte> bytes, std::shared_ptr<const void> owner, std::string origin);

  /// Whether a file begins as images do.
  static bool recognizes(std::string_view first_bytes) noexcept;

  [[nodiscard]] bool has(std::string_view name) const noexcept;

  /// A section. Throws Error where it is missing, was changed, or holds elements of another size.
  template <typename T>
  [[nodiscard]] FlatArray<T> get(std::string_view name) const {
    const std::span<const std::byte> bytes = section(name, sizeof(T));
    return {{reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)}, owner_};
  }

  /// Throws Error for a section that does not hold together.
  [[noreturn]] void fail_section(std::string_view name, std::string_view what) const;

 private:
  struct Entry {
    std::string_view name;
    uint64_t element_bytes;
    std::span<const std::byte> bytes;
    uint64_t checksum;
  };
  void parse();
  [[nodiscard]] std::span<const std::byte> section(std::string_view name, size_t element_bytes) const;

  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  std::string origin_;
  std::vector<Entry> entries_;
};

}  // namespace sesame
