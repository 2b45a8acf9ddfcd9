#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sesame/base/file_system.h"

namespace sesame {

/// A forward-only stream of bytes. Not thread-safe.
class ByteReader {
 public:
  virtual ~ByteReader() = default;

  /// Reads between 1 and out.size() bytes to the front of `out` and returns how many; 0 only at the end of the stream
  /// (or for an empty `out`). Throws Error naming the source when it can't be read or is corrupt.
  virtual size_t read(std::span<char> out) = 0;

  /// What messages call this source: a path, or "<stdin>".
  [[nodiscard]] virtual const std::string& name() const = 0;
};

/// The bytes of a file as they lie on disk. Throws Error for a missing file or a directory.
std::unique_ptr<ByteReader> open_raw_file(const std::filesystem::path& path, FileSystem& files = FileSystem::posix());

/// The bytes of standard input as they come.
std::unique_ptr<ByteReader> open_raw_stdin();

/// The bytes of a string, which the reader owns.
std::unique_ptr<ByteReader> open_string(std::string bytes, std::string name);

/// Decompresses `source` when it starts with the magic bytes of gzip (any number of members) or Zstandard (any number
/// of frames), and otherwise passes it through. A stream that ends inside a member or frame, or fails its checksum, is
/// an Error that names the source, never a short result. A name that ends in .gz or .zst without the magic bytes is an
/// Error.
std::unique_ptr<ByteReader> decompress(std::unique_ptr<ByteReader> source);

/// Opens "-" (standard input) or a path, decompressed where it is gzip or Zstandard.
std::unique_ptr<ByteReader> open_bytes(std::string_view source);

/// Reads to the end. Throws Error when there are more than `limit` bytes.
std::string read_all(ByteReader& reader, size_t limit = size_t{1} << 40);

}  // namespace sesame
