#include "sesame/text/words/counts_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"

namespace sesame {
namespace {

constexpr std::string_view magic = "SESWORDS";
constexpr uint64_t version = 1;
constexpr size_t block_bytes = size_t{1} << 20;  // of the checksum: each block's is the seed of the next

class CheckedWriter {
 public:
  explicit CheckedWriter(FileWriter& file) : file_(file) {}

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t some = std::min(bytes.size(), block_bytes - block_.size());
      block_ += bytes.substr(0, some);
      bytes.remove_prefix(some);
      if (block_.size() == block_bytes) flush();
    }
  }

  void number(uint64_t value) {
    char bytes[10];
    size_t size = 0;
    for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(value | 0x80);
    bytes[size++] = static_cast<char>(value);
    write({bytes, size});
  }

  void finish() {
    if (!block_.empty()) flush();
    file_.write(std::as_bytes(std::span(&hash_, 1)));
  }

 private:
  void flush() {
    hash_ = xxh3(block_, hash_);
    file_.write(block_);
    block_.clear();
  }

  FileWriter& file_;
  std::string block_;
  uint64_t hash_ = 0;
};

class Cursor {
 public:
  Cursor(std::string_view bytes, const std::filesystem::path& path) : bytes_(bytes), path_(path) {}

  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      if (bytes_.empty() || shift > 63) fail_here();
      const auto byte = static_cast<uint8_t>(bytes_.front());
      bytes_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
  }

  std::string_view take(uint64_t size) {
    if (size > bytes_.size()) fail_here();
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  [[noreturn]] void fail_here() const { fail(fmt::format("{}: the word counts are damaged", path_.string())); }

 private:
  std::string_view bytes_;
  const std::filesystem::path& path_;
};

uint64_t checksum(std::string_view bytes) {
  uint64_t hash = 0;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(block_bytes, bytes.size()))) {
    hash = xxh3(bytes.substr(0, block_bytes), hash);
  }
  return hash;
}

}  // namespace

void write_counts(const std::filesystem::path& path, const CountsHeader& header,
                  FunctionRef<void(EmitCount emit)> for_each_word) {
  write_file_atomically(path, [&](FileWriter& file) {
    CheckedWriter out(file);
    out.write(magic);
    for (const uint64_t value : {version, header.bytes, header.documents, uint64_t{header.cut_by.size()}}) {
      out.number(value);
    }
    out.write(header.cut_by);
    for_each_word([&](std::string_view word, uint64_t count) {
      out.number(word.size() + 1);
      out.number(count);
      out.write(word);
    });
    out.number(0);
    out.finish();
  });
}

void read_counts(const std::filesystem::path& path, FunctionRef<void(const CountsHeader&)> check, EmitCount emit) {
  const MappedFile file(path);
  const std::string_view text = file.text();
  uint64_t stored = 0;
  if (text.size() < magic.size() + sizeof stored || !text.starts_with(magic)) {
    fail(fmt::format("{} holds no word counts", path.string()));
  }
  const std::string_view content = text.substr(0, text.size() - sizeof stored);
  std::memcpy(&stored, text.data() + content.size(), sizeof stored);
  Cursor in(content.substr(magic.size()), path);
  if (checksum(content) != stored) in.fail_here();
  if (const uint64_t found = in.number(); found != version) {
    fail(fmt::format("{}: word counts of version {}, expected {}", path.string(), found, version));
  }
  CountsHeader header;
  header.bytes = in.number();
  header.documents = in.number();
  header.cut_by = in.take(in.number());
  check(header);
  while (const uint64_t size = in.number()) {
    const uint64_t count = in.number();
    emit(in.take(size - 1), count);
  }
  if (!in.at_end()) in.fail_here();
}

}  // namespace sesame
