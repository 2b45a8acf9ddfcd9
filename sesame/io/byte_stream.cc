#include "sesame/io/byte_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/io/decompress.h"

namespace sesame {
namespace {

[[noreturn]] void fail_to_read(const std::string& name, int error) {
  fail(fmt::format("{}: can't read: {}", name, std::generic_category().message(error)));
}

class DescriptorReader final : public ByteReader {
 public:
  DescriptorReader(FileSystem& files, int descriptor, bool owned, std::string name)
      : files_(files), descriptor_(descriptor), owned_(owned), name_(std::move(name)) {}
  ~DescriptorReader() override {
    if (owned_) files_.close(descriptor_);
  }
  DescriptorReader(const DescriptorReader&) = delete;
  DescriptorReader& operator=(const DescriptorReader&) = delete;

  size_t read(std::span<char> out) override {
    size_t count = 0;
    if (const int error = files_.read(descriptor_, std::as_writable_bytes(out), count)) fail_to_read(name_, error);
    return count;
  }
  const std::string& name() const override { return name_; }

 private:
  FileSystem& files_;
  int descriptor_;
  bool owned_;
  std::string name_;
};

class StringReader final : public ByteReader {
 public:
  StringReader(std::string bytes, std::string name) : bytes_(std::move(bytes)), name_(std::move(name)) {}

  size_t read(std::span<char> out) override {
    const size_t n = std::min(out.size(), bytes_.size() - position_);
    std::copy_n(bytes_.data() + position_, n, out.data());
    position_ += n;
    return n;
  }
  const std::string& name() const override { return name_; }

 private:
  std::string bytes_;
  std::string name_;
  size_t position_ = 0;
};

/// Hands out bytes that were read ahead to find the magic number, then the rest of the stream.
class PrefixedReader final : public ByteReader {
 public:
  PrefixedReader(std::string prefix, std::unique_ptr<ByteReader> rest)
      : prefix_(std::move(prefix)), rest_(std::move(rest)) {}

  size_t read(std::span<char> out) override {
    if (position_ == prefix_.size()) return rest_->read(out);
    const size_t n = std::min(out.size(), prefix_.size() - position_);
    std::copy_n(prefix_.data() + position_, n, out.data());
    position_ += n;
    return n;
  }
  const std::string& name() const override { return rest_->name(); }

 private:
  std::string prefix_;
  size_t position_ = 0;
  std::unique_ptr<ByteReader> rest_;
};

std::string read_prefix(ByteReader& reader, size_t size) {
  std::string prefix(size, '\0');
  size_t have = 0;
  while (have < size) {
    const size_t n = reader.read(std::span(prefix).subspan(have));
    if (n == 0) break;
    have += n;
  }
  prefix.resize(have);
  return prefix;
}

// RFC 8878: frames start with 0xFD2FB528, skippable frames with 0x184D2A50 to 0x184D2A5F, little endian.
bool is_zstd(std::string_view prefix) {
  if (prefix.size() < 4) return false;
  if (prefix.starts_with("\x28\xB5\x2F\xFD")) return true;
  return (static_cast<unsigned char>(prefix[0]) & 0xF0u) == 0x50 && prefix.substr(1, 3) == "\x2A\x4D\x18";
}

// RFC 1952: ID1, ID2, and deflate as the only method.
bool is_gzip(std::string_view prefix) { return prefix.starts_with("\x1F\x8B\x08"); }

}  // namespace

std::unique_ptr<ByteReader> open_raw_file(const std::filesystem::path& path, FileSystem& files) {
  int descriptor = -1;
  if (const int error = files.open_for_reading(path, descriptor)) {
    fail(fmt::format("{}: can't open: {}", path.string(), std::generic_category().message(error)));
  }
  auto reader = std::make_unique<DescriptorReader>(files, descriptor, true, path.string());
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) fail_to_read(path.string(), errno);
  if (S_ISDIR(status.st_mode)) {
    fail(fmt::format("{}: is a directory, expected a file; name the files in it, for example '{}/*.txt'", path.string(),
                     path.string()));
  }
  (void)::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return reader;
}

std::unique_ptr<ByteReader> open_raw_stdin() {
  return std::make_unique<DescriptorReader>(FileSystem::posix(), STDIN_FILENO, false, "<stdin>");
}

std::unique_ptr<ByteReader> open_string(std::string bytes, std::string name) {
  return std::make_unique<StringReader>(std::move(bytes), std::move(name));
}

std::unique_ptr<ByteReader> decompress(std::unique_ptr<ByteReader> source) {
  std::string prefix = read_prefix(*source, 4);
  const bool gzip = is_gzip(prefix);
  const bool zstd = is_zstd(prefix);
  const std::string& name = source->name();
  if ((name.ends_with(".gz") && !gzip) || (name.ends_with(".zst") && !zstd)) {
    fail(
        fmt::format("{}: does not start with the magic bytes of {}: the file is {}; make it anew, or rename it if it "
                    "holds plain text",
                    name, name.ends_with(".gz") ? "gzip" : "Zstandard", prefix.empty() ? "empty" : "damaged"));
  }
  auto whole = std::make_unique<PrefixedReader>(std::move(prefix), std::move(source));
  if (gzip) return read_gzip(std::move(whole));
  if (zstd) return read_zstd(std::move(whole));
  return whole;
}

std::unique_ptr<ByteReader> open_bytes(std::string_view source) {
  return decompress(source == "-" ? open_raw_stdin() : open_raw_file(std::filesystem::path(source)));
}

std::string read_all(ByteReader& reader, size_t limit) {
  constexpr size_t kStep = size_t{1} << 16;
  std::string bytes;
  while (true) {
    const size_t have = bytes.size();
    bytes.resize(have + std::max(kStep, have / 2));
    const size_t n = reader.read(std::span(bytes).subspan(have));
    bytes.resize(have + n);
    if (n == 0) return bytes;
    if (bytes.size() > limit) fail(fmt::format("{}: more than {} bytes, the most accepted here", reader.name(), limit));
  }
}

}  // namespace sesame
