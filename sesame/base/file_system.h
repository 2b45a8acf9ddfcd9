#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace sesame {

/// The one seam between Sesame and the operating system's files. Tests put FaultyFileSystem (fault_injection.h) here
/// and let every single operation fail in turn.
///
/// Every function returns 0 or an errno value, and never throws: what an error means is the caller's to say.
class FileSystem {
 public:
  using Path = std::filesystem::path;

  virtual ~FileSystem() = default;

  virtual int open_for_reading(const Path& path, int& descriptor) = 0;
  /// Creates or empties the file.
  virtual int create(const Path& path, int& descriptor) = 0;
  /// Creates the file or opens it so that every write goes to its end.
  virtual int open_for_appending(const Path& path, int& descriptor) = 0;
  /// Reads at most `bytes.size()` bytes; `count` 0 is the end of the file.
  virtual int read(int descriptor, std::span<std::byte> bytes, size_t& count) = 0;
  /// May write fewer bytes than asked, as write(2).
  virtual int write(int descriptor, std::span<const std::byte> bytes, size_t& count) = 0;
  virtual int write_at(int descriptor, std::span<const std::byte> bytes, int64_t offset, size_t& count) = 0;
  virtual int set_mode(int descriptor, mode_t mode) = 0;
  /// Returns when the file's bytes are on the medium.
  virtual int sync(int descriptor) = 0;
  virtual void close(int descriptor) = 0;

  /// Atomic; replaces `to`.
  virtual int rename(const Path& from, const Path& to) = 0;
  /// Exchanges two names in one step; EINVAL or ENOSYS where the file system cannot.
  virtual int exchange(const Path& a, const Path& b) = 0;
  virtual int remove_file(const Path& path) = 0;
  virtual int remove_directory(const Path& path) = 0;
  virtual int make_directory(const Path& path) = 0;
  /// Returns when the directory's entries (created, renamed, removed) are on the medium.
  virtual int sync_directory(const Path& path) = 0;
  /// Names in a directory, without "." and "..", sorted.
  virtual int list(const Path& path, std::vector<std::string>& names) = 0;

  /// The machine's own files.
  static FileSystem& posix();
};

}  // namespace sesame
