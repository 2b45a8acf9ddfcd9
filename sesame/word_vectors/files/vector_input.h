#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sesame/io/byte_stream.h"

namespace sesame {

/// The bytes of a vector file, gzip and Zstandard unpacked, through a window that moves over it: files may be larger
/// than memory, and pipes.
class VectorInput {
 public:
  /// Bytes that peek() usually has at hand: enough for all threads to have work.
  static constexpr size_t kWindow = size_t{4} << 20;

  explicit VectorInput(const std::filesystem::path& path);

  /// The bytes that come next, at least `wanted` of them unless the file ends before. Valid until the next call.
  [[nodiscard]] std::string_view peek(size_t wanted);
  /// Goes on behind the first `bytes` of what peek() gave.
  void skip(size_t bytes) noexcept { begin_ += bytes; }
  /// The next out.size() bytes. Throws Error, with `what` was expected, where the file ends before.
  void read(std::span<std::byte> out, std::string_view what);
  /// One value as it lies in memory.
  template <typename T>
  [[nodiscard]] T read(std::string_view what) {
    T value;
    read(std::as_writable_bytes(std::span(&value, 1)), what);
    return value;
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// The bytes from here to the end, where that is known: of plain files.
  [[nodiscard]] std::optional<uint64_t> remaining() const noexcept;
  /// Bytes of the content passed so far.
  [[nodiscard]] uint64_t offset() const noexcept { return read_ - (end_ - begin_); }

 private:
  std::string name_;
  std::unique_ptr<ByteReader> reader_;
  std::optional<uint64_t> size_;
  std::unique_ptr<char[]> window_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t read_ = 0;
};

}  // namespace sesame
