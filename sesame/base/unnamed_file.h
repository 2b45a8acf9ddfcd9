#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "sesame/base/file_system.h"

namespace sesame {

/// A temporary file without a name: the system takes it away when it is closed or the process ends, however it ends.
/// Members may be called from several threads at once for different bytes.
class UnnamedFile {
 public:
  /// `what` it is for, in messages. An empty directory stands for the system's directory for temporary files. Throws
  /// Error where no file can be made there.
  UnnamedFile(std::filesystem::path directory, std::string what, FileSystem& files = FileSystem::posix());
  ~UnnamedFile();
  UnnamedFile(const UnnamedFile&) = delete;
  UnnamedFile& operator=(const UnnamedFile&) = delete;

  /// Throws Error that says how much was to be written when the disk is full.
  void write_at(uint64_t offset, std::span<const std::byte> bytes);
  /// All of `bytes` must have been written.
  void read_at(uint64_t offset, std::span<std::byte> bytes) const;

 private:
  std::filesystem::path directory_;
  std::string what_;
  FileSystem& files_;
  int descriptor_ = -1;
};

}  // namespace sesame
