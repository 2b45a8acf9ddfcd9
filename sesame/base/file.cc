#include "sesame/base/file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 18;

std::string reason(int error) { return std::generic_category().message(error); }

std::filesystem::path parent_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

/// Closes a descriptor when it goes out of scope.
class Descriptor {
 public:
  Descriptor(FileSystem& files, int value) : files_(files), value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { files_.close(value_); }
  [[nodiscard]] int get() const { return value_; }

 private:
  FileSystem& files_;
  int value_;
};

int open_or_fail(const std::filesystem::path& path, FileSystem& files) {
  int descriptor = -1;
  if (const int error = files.open_for_reading(path, descriptor)) {
    fail(fmt::format("cannot open {}: {}", path.string(), reason(error)));
  }
  return descriptor;
}

/// The size of an open file; an Error for what has none (a directory, a pipe).
uint64_t regular_size(int descriptor, const std::filesystem::path& path) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) fail(fmt::format("cannot read {}: {}", path.string(), reason(errno)));
  if (S_ISDIR(status.st_mode)) fail(fmt::format("cannot read {}: it is a directory, not a file", path.string()));
  if (!S_ISREG(status.st_mode)) fail(fmt::format("cannot read {}: it is not a regular file", path.string()));
  return static_cast<uint64_t>(status.st_size);
}

/// What a FileWriter throws: write_file_atomically says more than the temporary file's name.
class WriteError : public Error {
 public:
  WriteError(const std::string& message, int code) : Error(message), code_(code) {}
  [[nodiscard]] int code() const noexcept { return code_; }

 private:
  int code_;
};

}  // namespace

FileWriter::FileWriter(std::filesystem::path path, FileSystem& files, int descriptor)
    : path_(std::move(path)), files_(&files), descriptor_(descriptor) {
  buffer_.reserve(kBufferBytes);
}

FileWriter FileWriter::create(const std::filesystem::path& path, FileSystem& files) {
  int descriptor = -1;
  if (const int error = files.create(path, descriptor)) {
    fail(fmt::format("cannot create {}: {}", path.string(), reason(error)));
  }
  return FileWriter(path, files, descriptor);
}

FileWriter FileWriter::append(const std::filesystem::path& path, FileSystem& files) {
  int descriptor = -1;
  if (const int error = files.open_for_appending(path, descriptor)) {
    fail(fmt::format("cannot open {} for writing: {}", path.string(), reason(error)));
  }
  return FileWriter(path, files, descriptor);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : path_(std::move(other.path_)),
      files_(other.files_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_written_(other.bytes_written_),
      buffer_(std::move(other.buffer_)) {}

FileWriter::~FileWriter() {
  if (descriptor_ >= 0) files_->close(descriptor_);
}

void FileWriter::fail_to_write(int error) const {
  throw WriteError(fmt::format("cannot write {}: {} (at byte {})", path_.string(), reason(error), bytes_written_),
                   error);
}

void FileWriter::write_all(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    size_t count = 0;
    const int error = files_->write(descriptor_, bytes, count);
    if (error != 0) fail_to_write(error);
    if (count == 0) fail_to_write(EIO);
    bytes = bytes.subspan(count);
  }
}

void FileWriter::write(std::span<const std::byte> bytes) {
  bytes_written_ += bytes.size();
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() >= kBufferBytes) {
    write_all(bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
}

void FileWriter::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  if (offset > bytes_written_ || bytes.size() > bytes_written_ - offset) {
    fail(fmt::format("write_at: bytes [{}, {}) of {} are not written yet", offset, offset + bytes.size(),
                     path_.string()));
  }
  flush();
  while (!bytes.empty()) {
    size_t count = 0;
    const int error = files_->write_at(descriptor_, bytes, static_cast<int64_t>(offset), count);
    if (error != 0) fail_to_write(error);
    if (count == 0) fail_to_write(EIO);
    bytes = bytes.subspan(count);
    offset += count;
  }
}

void FileWriter::flush() {
  write_all(buffer_);
  buffer_.clear();
}

void FileWriter::sync() {
  flush();
  if (const int error = files_->sync(descriptor_)) fail_to_write(error);
}

void FileWriter::close() {
  flush();
  files_->close(std::exchange(descriptor_, -1));
}

void write_file_atomically(const std::filesystem::path& path, FunctionRef<void(FileWriter&)> fill, FileSystem& files) {
  std::error_code ignored;
  const bool is_link = std::filesystem::is_symlink(path, ignored);
  const std::filesystem::path target = is_link ? std::filesystem::weakly_canonical(path) : path;
  struct stat old_status = {};
  const bool replaces = ::stat(target.c_str(), &old_status) == 0;
  if (replaces && S_ISDIR(old_status.st_mode)) fail(fmt::format("cannot write {}: it is a directory", path.string()));
  std::filesystem::path temporary = target;
  temporary += fmt::format(".tmp.{}", ::getpid());

  const auto give_up = [&](int error, uint64_t needed) {
    files.remove_file(temporary);
    fail(fmt::format("cannot write {}: {} (needed {} bytes); {}", path.string(), reason(error), needed,
                     replaces ? "the previous file is untouched" : "no file was left behind"));
  };
  int descriptor = -1;
  if (const int error = files.create(temporary, descriptor)) give_up(error, 0);
  FileWriter writer(temporary, files, descriptor);
  try {
    if (replaces) {
      if (const int error = files.set_mode(descriptor, old_status.st_mode & 07777)) writer.fail_to_write(error);
    }
    fill(writer);
    writer.sync();
    writer.close();
  } catch (const WriteError& error) {
    give_up(error.code(), writer.bytes_written());
  } catch (...) {
    files.remove_file(temporary);
    throw;
  }
  if (const int error = files.rename(temporary, target)) give_up(error, writer.bytes_written());
  if (const int error = files.sync_directory(parent_of(target))) {
    fail(fmt::format("{} is written, but its directory could not be synced: {}", path.string(), reason(error)));
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content, FileSystem& files) {
  write_file_atomically(
      path, [content](FileWriter& writer) { writer.write(content); }, files);
}

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes, FileSystem& files) {
  const Descriptor descriptor(files, open_or_fail(path, files));
  const uint64_t size = regular_size(descriptor.get(), path);
  if (size > max_bytes) {
    fail(fmt::format("cannot read {}: it has {} bytes, more than the {} allowed here", path.string(), size, max_bytes));
  }
  // Files of /proc claim no size, and a file may grow: read until the end, not until the size.
  std::string content(std::max<uint64_t>(size + 1, 4096), '\0');
  size_t filled = 0;
  for (;;) {
    size_t count = 0;
    const auto room = std::as_writable_bytes(std::span(content)).subspan(filled);
    if (const int error = files.read(descriptor.get(), room, count)) {
      fail(fmt::format("cannot read {}: {}", path.string(), reason(error)));
    }
    if (count == 0) break;
    filled += count;
    if (filled > max_bytes) {
      fail(fmt::format("cannot read {}: it has more than the {} bytes allowed here", path.string(), max_bytes));
    }
    if (filled == content.size()) content.resize(content.size() * 2);
  }
  content.resize(filled);
  return content;
}

MappedFile::MappedFile(const std::filesystem::path& path, FileSystem& files) : path_(path) {
  const Descriptor descriptor(files, open_or_fail(path, files));
  const uint64_t size = regular_size(descriptor.get(), path);
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (address == MAP_FAILED) fail(fmt::format("cannot map {} ({} bytes): {}", path.string(), size, reason(errno)));
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(path_, other.path_);
  return *this;
}

MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

void make_directories(const std::filesystem::path& path, FileSystem& files) {
  std::error_code ignored;
  if (path.empty() || std::filesystem::is_directory(path, ignored)) return;
  make_directories(path.parent_path(), files);
  const int error = files.make_directory(path);
  if (error == EEXIST && std::filesystem::is_directory(path, ignored)) return;
  if (error != 0) fail(fmt::format("cannot create the directory {}: {}", path.string(), reason(error)));
}

}  // namespace sesame
