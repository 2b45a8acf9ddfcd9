#include "sesame/word_vectors/files/vector_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "sesame/base/error.h"

namespace sesame {
namespace {

/// Nothing for pipes and the like, and for what has to be unpacked.
std::optional<uint64_t> size_of_plain_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) return std::nullopt;
  const std::unique_ptr<ByteReader> unpacked = open_bytes(path.string());
  const std::unique_ptr<ByteReader> stored = open_raw_file(path);
  // Compressed content starts otherwise than the file, but for one that is packed twice: compare a little more.
  const auto start_of = [](ByteReader& reader) {
    std::string start(64, '\0');
    size_t have = 0;
    while (const size_t n = reader.read(std::span(start).subspan(have))) have += n;
    start.resize(have);
    return start;
  };
  return start_of(*unpacked) == start_of(*stored) ? std::optional(size) : std::nullopt;
}

}  // namespace

VectorInput::VectorInput(const std::filesystem::path& path)
    : name_(path.string()), reader_(open_bytes(path.string())), size_(size_of_plain_file(path)) {}

std::optional<uint64_t> VectorInput::remaining() const noexcept {
  if (!size_) return std::nullopt;
  return std::max(*size_, offset()) - offset();
}

std::string_view VectorInput::peek(size_t wanted) {
  if (end_ - begin_ >= wanted) return {window_.get() + begin_, end_ - begin_};
  if (capacity_ - begin_ < wanted || begin_ == end_) {
    const size_t capacity = std::max({capacity_, kWindow, wanted});
    if (capacity > capacity_) {
      auto wider = std::make_unique_for_overwrite<char[]>(capacity);
      if (end_ > begin_) std::memcpy(wider.get(), window_.get() + begin_, end_ - begin_);
      window_ = std::move(wider);
      capacity_ = capacity;
    } else {
      std::memmove(window_.get(), window_.get() + begin_, end_ - begin_);
    }
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ - begin_ < wanted) {
    const size_t n = reader_->read(std::span(window_.get() + end_, capacity_ - end_));
    if (n == 0) break;
    end_ += n;
    read_ += n;
  }
  return {window_.get() + begin_, end_ - begin_};
}

void VectorInput::read(std::span<std::byte> out, std::string_view what) {
  const uint64_t start = offset();
  size_t have = std::min(out.size(), end_ - begin_);
  if (have > 0) std::memcpy(out.data(), window_.get() + begin_, have);
  begin_ += have;
  while (have < out.size()) {
    const std::span<std::byte> rest = out.subspan(have);
    size_t n = 0;
    if (rest.size() < kWindow / 4) {
      n = std::min(peek(1).size(), rest.size());
      if (n > 0) std::memcpy(rest.data(), window_.get() + begin_, n);
      begin_ += n;
    } else {
      n = reader_->read(std::span(reinterpret_cast<char*>(rest.data()), rest.size()));
      read_ += n;
    }
    if (n == 0) {
      fail(fmt::format("{}: the file ends after {} bytes, in {} that starts at byte {}; it is truncated", name_,
                       offset(), what, start));
    }
    have += n;
  }
}

}  // namespace sesame
