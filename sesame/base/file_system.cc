#include "sesame/base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace sesame {
namespace {

/// Calls f until it is not interrupted by a signal; f returns -1 and sets errno on failure.
template <typename F>
auto uninterrupted(F&& f) {
  for (;;) {
    const auto result = f();
    if (result != -1 || errno != EINTR) return result;
  }
}

int error_of(int64_t result) { return result == -1 ? errno : 0; }

class PosixFileSystem final : public FileSystem {
 public:
  int open_for_reading(const Path& path, int& descriptor) override { return open(path, O_RDONLY, descriptor); }

  int create(const Path& path, int& descriptor) override {
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, descriptor);
  }

  int open_for_appending(const Path& path, int& descriptor) override {
    return open(path, O_WRONLY | O_CREAT | O_APPEND, descriptor);
  }

  int read(int descriptor, std::span<std::byte> bytes, size_t& count) override {
    return counted(uninterrupted([&] { return ::read(descriptor, bytes.data(), bytes.size()); }), count);
  }

  int write(int descriptor, std::span<const std::byte> bytes, size_t& count) override {
    return counted(uninterrupted([&] { return ::write(descriptor, bytes.data(), bytes.size()); }), count);
  }

  int write_at(int descriptor, std::span<const std::byte> bytes, int64_t offset, size_t& count) override {
    return counted(uninterrupted([&] { return ::pwrite(descriptor, bytes.data(), bytes.size(), offset); }), count);
  }

  int set_mode(int descriptor, mode_t mode) override { return error_of(::fchmod(descriptor, mode)); }

  int sync(int descriptor) override {
    return error_of(uninterrupted([&] { return ::fsync(descriptor); }));
  }

  void close(int descriptor) override { ::close(descriptor); }

  int rename(const Path& from, const Path& to) override { return error_of(::rename(from.c_str(), to.c_str())); }

  int exchange(const Path& a, const Path& b) override {
    return error_of(::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE));
  }

  int remove_file(const Path& path) override { return error_of(::unlink(path.c_str())); }

  int remove_directory(const Path& path) override { return error_of(::rmdir(path.c_str())); }

  int make_directory(const Path& path) override { return error_of(::mkdir(path.c_str(), 0777)); }

  int sync_directory(const Path& path) override {
    int descriptor = -1;
    if (const int error = open(path, O_RDONLY | O_DIRECTORY, descriptor)) return error;
    const int error = sync(descriptor);
    close(descriptor);
    // Some file systems (FUSE, some network ones) have no fsync for directories; their renames are as durable as they
    // get.
    return error == EINVAL || error == ENOTSUP ? 0 : error;
  }

  int list(const Path& path, std::vector<std::string>& names) override {
    names.clear();
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) return errno;
    errno = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
      errno = 0;
    }
    if (errno != 0) return errno;
    std::sort(names.begin(), names.end());
    return 0;
  }

 private:
  static int open(const Path& path, int flags, int& descriptor) {
    descriptor = uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
    return error_of(descriptor);
  }

  static int counted(ssize_t result, size_t& count) {
    count = result == -1 ? 0 : static_cast<size_t>(result);
    return error_of(result);
  }
};

}  // namespace

FileSystem& FileSystem::posix() {
  static PosixFileSystem files;
  return files;
}

}  // namespace sesame
