#include "sesame/base/huge_buffer.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"

namespace sesame {
namespace {

constexpr size_t kSmallestPage = 4096;

size_t round_up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }

[[noreturn]] void refuse(size_t bytes, int error) {
  fail(fmt::format("cannot get {} ({} bytes) of memory: {}", human_bytes(bytes), bytes,
                   std::generic_category().message(error)));
}

/// mmap aligns to small pages only: maps one alignment more, then gives both ends back.
std::byte* map_aligned(size_t bytes, size_t alignment) {
  if (bytes > SIZE_MAX / 2) refuse(bytes, ENOMEM);
  const size_t kept = round_up(bytes, kSmallestPage);
  const size_t mapped = kept + alignment;
  void* address = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) refuse(bytes, errno);
  auto* const begin = static_cast<std::byte*>(address);
  const size_t before = round_up(reinterpret_cast<uintptr_t>(begin), alignment) - reinterpret_cast<uintptr_t>(begin);
  std::byte* const aligned = begin + before;
  if (before > 0) ::munmap(begin, before);
  if (const size_t after = mapped - before - kept; after > 0) ::munmap(aligned + kept, after);
  ::madvise(aligned, kept, MADV_HUGEPAGE);  // advice: a system without huge pages is slower, not wrong
  return aligned;
}

}  // namespace

HugeBuffer::HugeBuffer(size_t bytes, FirstTouch first_touch) : size_(bytes) {
  if (bytes == 0) return;
  data_ = map_aligned(bytes, kAlignment);
  if (first_touch == FirstTouch::now) {
    for (size_t offset = 0; offset < bytes; offset += kSmallestPage)
      static_cast<volatile std::byte*>(data_)[offset] = {};
  }
}

void HugeBuffer::grow(size_t bytes) {
  if (bytes <= size_) return;
  std::byte* const larger = map_aligned(bytes, kAlignment);
  if (data_ != nullptr) {
    // The pages go to the beginning of the new room, which stays mapped behind them.
    const size_t kept = round_up(size_, kSmallestPage);
    if (::mremap(data_, kept, kept, MREMAP_MAYMOVE | MREMAP_FIXED, larger) == MAP_FAILED) {
      const int error = errno;
      ::munmap(larger, round_up(bytes, kSmallestPage));
      refuse(bytes, error);
    }
  }
  data_ = larger;
  size_ = bytes;
}

HugeBuffer::HugeBuffer(HugeBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

HugeBuffer& HugeBuffer::operator=(HugeBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

HugeBuffer::~HugeBuffer() {
  if (data_) ::munmap(data_, round_up(size_, kSmallestPage));
}

}  // namespace sesame
