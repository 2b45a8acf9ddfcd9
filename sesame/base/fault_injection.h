#pragma once

#include <cstdint>

#include "sesame/base/file_system.h"

namespace sesame {

/// A FileSystem that goes wrong at one chosen operation, for tests: run the code under test once to count its
/// operations, then once for each number below that count and each kind of fault, and look at what is left on the disk.
/// Syncing is counted and may fail, but is not carried out: no process can see the difference, and it takes most of the
/// time.
class FaultyFileSystem final : public FileSystem {
 public:
  enum class Fault {
    none,
    error,        // this operation fails with `error_code`, later ones work
    full_disk,    // from here on everything that needs space fails with ENOSPC: create, write, make_directory
    short_write,  // if this is a write, it takes only half of the bytes
    crash,        // the process is gone: a write is cut in the middle, and nothing after it has any effect
  };

  explicit FaultyFileSystem(Fault fault = Fault::none, int64_t at_operation = -1, int error_code = 5 /* EIO */,
                            FileSystem& below = FileSystem::posix())
      : fault_(fault), at_operation_(at_operation), error_code_(error_code), below_(below) {}

  /// Operations so far; closing a file is none.
  [[nodiscard]] int64_t operations() const noexcept { return operations_; }
  /// Makes exchange() fail with EINVAL, as on file systems that cannot.
  void refuse_exchange() noexcept { refuses_exchange_ = true; }

  int open_for_reading(const Path& path, int& descriptor) override;
  int create(const Path& path, int& descriptor) override;
  int open_for_appending(const Path& path, int& descriptor) override;
  int read(int descriptor, std::span<std::byte> bytes, size_t& count) override;
  int write(int descriptor, std::span<const std::byte> bytes, size_t& count) override;
  int write_at(int descriptor, std::span<const std::byte> bytes, int64_t offset, size_t& count) override;
  int set_mode(int descriptor, mode_t mode) override;
  int sync(int descriptor) override;
  void close(int descriptor) override;
  int rename(const Path& from, const Path& to) override;
  int exchange(const Path& a, const Path& b) override;
  int remove_file(const Path& path) override;
  int remove_directory(const Path& path) override;
  int make_directory(const Path& path) override;
  int sync_directory(const Path& path) override;
  int list(const Path& path, std::vector<std::string>& names) override;

 private:
  enum class Kind { needs_space, other };
  /// Counts an operation; returns the error it has to fail with, or 0.
  int next(Kind kind);
  [[nodiscard]] bool cuts_this_write() const;

  Fault fault_;
  int64_t at_operation_;
  int error_code_;
  FileSystem& below_;
  int64_t operations_ = 0;
  bool refuses_exchange_ = false;
};

}  // namespace sesame
