#include "sesame/base/unnamed_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"

namespace sesame {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

/// Opens a file that has no name, or for file systems without such files one whose name is gone at once.
int open_unnamed(const std::filesystem::path& directory) {
#ifdef O_TMPFILE
  const int unnamed = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (unnamed >= 0) return unnamed;
#endif
  std::string path = directory / ".sesame.XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  if (descriptor >= 0) ::unlink(path.c_str());
  return descriptor;
}

}  // namespace

UnnamedFile::UnnamedFile(std::filesystem::path directory, std::string what, FileSystem& files)
    : directory_(std::move(directory)), what_(std::move(what)), files_(files) {
  std::error_code ignored;
  if (directory_.empty()) directory_ = std::filesystem::temp_directory_path(ignored);
  descriptor_ = open_unnamed(directory_);
  if (descriptor_ < 0) {
    fail(fmt::format("cannot make a temporary file for {} in {}: {}", what_, directory_.string(), reason(errno)));
  }
}

UnnamedFile::~UnnamedFile() { files_.close(descriptor_); }

void UnnamedFile::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    size_t count = 0;
    int error = files_.write_at(descriptor_, bytes, static_cast<int64_t>(offset), count);
    if (error == 0 && count == 0) error = EIO;
    if (error != 0) {
      fail(
          fmt::format("cannot write {} to a temporary file in {}: {}, with {} written; free space there, or name "
                      "another directory",
                      what_, directory_.string(), reason(error), human_bytes(offset)));
    }
    offset += count;
    bytes = bytes.subspan(count);
  }
}

void UnnamedFile::read_at(uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      fail(fmt::format("cannot read {} from a temporary file in {}: {} at byte {}", what_, directory_.string(),
                       count == 0 ? "it ends" : reason(errno), offset));
    }
    offset += static_cast<uint64_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

}  // namespace sesame
