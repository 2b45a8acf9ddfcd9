#include "sesame/base/fault_injection.h"

#include <cerrno>

namespace sesame {

int FaultyFileSystem::next(Kind kind) {
  const int64_t operation = operations_++;
  switch (fault_) {
    case Fault::none:
    case Fault::short_write:
      return 0;
    case Fault::error:
      return operation == at_operation_ ? error_code_ : 0;
    case Fault::full_disk:
      return operation >= at_operation_ && kind == Kind::needs_space ? ENOSPC : 0;
    case Fault::crash:
      return operation >= at_operation_ ? EIO : 0;
  }
  return 0;
}

bool FaultyFileSystem::cuts_this_write() const {
  const bool now = operations_ - 1 == at_operation_;
  return now && (fault_ == Fault::short_write || fault_ == Fault::crash || fault_ == Fault::full_disk);
}

int FaultyFileSystem::open_for_reading(const Path& path, int& descriptor) {
  if (const int error = next(Kind::other)) return error;
  return below_.open_for_reading(path, descriptor);
}

int FaultyFileSystem::create(const Path& path, int& descriptor) {
  if (const int error = next(Kind::needs_space)) return error;
  return below_.create(path, descriptor);
}

int FaultyFileSystem::open_for_appending(const Path& path, int& descriptor) {
  if (const int error = next(Kind::needs_space)) return error;
  return below_.open_for_appending(path, descriptor);
}

int FaultyFileSystem::read(int descriptor, std::span<std::byte> bytes, size_t& count) {
  if (const int error = next(Kind::other)) return error;
  return below_.read(descriptor, bytes, count);
}

int FaultyFileSystem::write(int descriptor, std::span<const std::byte> bytes, size_t& count) {
  count = 0;
  const int error = next(Kind::needs_space);
  if (cuts_this_write()) {
    if (bytes.size() > 1) bytes = bytes.first(bytes.size() / 2);
    const int below_error = below_.write(descriptor, bytes, count);
    return error != 0 ? error : below_error;
  }
  return error != 0 ? error : below_.write(descriptor, bytes, count);
}

int FaultyFileSystem::write_at(int descriptor, std::span<const std::byte> bytes, int64_t offset, size_t& count) {
  count = 0;
  const int error = next(Kind::needs_space);
  if (cuts_this_write()) {
    if (bytes.size() > 1) bytes = bytes.first(bytes.size() / 2);
    const int below_error = below_.write_at(descriptor, bytes, offset, count);
    return error != 0 ? error : below_error;
  }
  return error != 0 ? error : below_.write_at(descriptor, bytes, offset, count);
}

int FaultyFileSystem::set_mode(int descriptor, mode_t mode) {
  if (const int error = next(Kind::other)) return error;
  return below_.set_mode(descriptor, mode);
}

int FaultyFileSystem::sync(int) { return next(Kind::other); }

void FaultyFileSystem::close(int descriptor) { below_.close(descriptor); }

int FaultyFileSystem::rename(const Path& from, const Path& to) {
  if (const int error = next(Kind::other)) return error;
  return below_.rename(from, to);
}

int FaultyFileSystem::exchange(const Path& a, const Path& b) {
  if (const int error = next(Kind::other)) return error;
  return refuses_exchange_ ? EINVAL : below_.exchange(a, b);
}

int FaultyFileSystem::remove_file(const Path& path) {
  if (const int error = next(Kind::other)) return error;
  return below_.remove_file(path);
}

int FaultyFileSystem::remove_directory(const Path& path) {
  if (const int error = next(Kind::other)) return error;
  return below_.remove_directory(path);
}

int FaultyFileSystem::make_directory(const Path& path) {
  if (const int error = next(Kind::needs_space)) return error;
  return below_.make_directory(path);
}

int FaultyFileSystem::sync_directory(const Path&) { return next(Kind::other); }

int FaultyFileSystem::list(const Path& path, std::vector<std::string>& names) {
  if (const int error = next(Kind::other)) return error;
  return below_.list(path, names);
}

}  // namespace sesame
