#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/file_system.h"
#include "sesame/base/function_ref.h"

namespace sesame {

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

/// Buffered writing to one file. Every error is an Error that names the path and the system's reason. A writer that is
/// destroyed without close() drops what is still buffered: close says whether the bytes were taken.
class FileWriter {
 public:
  /// Creates or empties the file.
  static FileWriter create(const std::filesystem::path& path, FileSystem& files = FileSystem::posix());
  /// Writes at the end of the file, which is created if need be.
  static FileWriter append(const std::filesystem::path& path, FileSystem& files = FileSystem::posix());

  FileWriter(FileWriter&& other) noexcept;
  FileWriter& operator=(FileWriter&& other) = delete;
  ~FileWriter();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(as_bytes(text)); }
  /// Overwrites bytes that were written before; [offset, offset + size) must lie below bytes_written().
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  /// Hands what is buffered to the system (readers see it; a loss of power may still take it).
  void flush();
  /// Flushes, and returns when all of it is on the medium.
  void sync();
  /// Flushes and closes.
  void close();

  [[nodiscard]] uint64_t bytes_written() const noexcept { return bytes_written_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  friend void write_file_atomically(const std::filesystem::path&, FunctionRef<void(FileWriter&)>, FileSystem&);
  FileWriter(std::filesystem::path path, FileSystem& files, int descriptor);
  void write_all(std::span<const std::byte> bytes);
  [[noreturn]] void fail_to_write(int error) const;

  std::filesystem::path path_;
  FileSystem* files_;
  int descriptor_ = -1;
  uint64_t bytes_written_ = 0;
  std::vector<std::byte> buffer_;
};

/// Replaces a file in one step: readers, and whoever comes after a crash, see the old content or the new one in whole.
/// Writes to `path`.tmp.PID in the same directory, syncs, renames, syncs the directory; keeps the mode of the file that
/// it replaces and follows a symbolic link. On any error, and when `fill` throws, the temporary file is removed, `path`
/// is as it was. The system's refusals become an Error such as "cannot write X: No space left on device (needed N
/// bytes); the previous file is untouched"; what `fill` throws passes through.
void write_file_atomically(const std::filesystem::path& path, FunctionRef<void(FileWriter&)> fill,
                           FileSystem& files = FileSystem::posix());
void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           FileSystem& files = FileSystem::posix());

/// The whole file, or an Error when it cannot be read or has more than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 30,
                      FileSystem& files = FileSystem::posix());

/// A file mapped for reading. Pages are read when first touched. The file must not be cut short while it is mapped: the
/// system ends the process on access to pages that are gone; replace files by rename, as write_file_atomically does.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path, FileSystem& files = FileSystem::posix());
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  [[nodiscard]] size_t size() const noexcept { return bytes_.size(); }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::span<const std::byte> bytes_;
  std::filesystem::path path_;
};

/// Creates the directory and those above it; no error where it exists.
void make_directories(const std::filesystem::path& path, FileSystem& files = FileSystem::posix());

}  // namespace sesame
