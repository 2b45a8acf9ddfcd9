#include "sesame/runtime/arena.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "sesame/base/error.h"
#include "sesame/base/machine.h"
#include "sesame/base/text_format.h"

namespace sesame {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kLargestReservation = size_t{1} << 40;
constexpr size_t kSmallestReservation = size_t{1} << 33;

size_t round_up(size_t bytes) { return (bytes + kHugePage - 1) / kHugePage * kHugePage; }

}  // namespace

Arena::Arena() {
  // Address space without memory behind it; a machine may limit even that, so less is tried before giving up.
  for (reserved_ = kLargestReservation; reserved_ >= kSmallestReservation; reserved_ /= 4) {
    void* start = mmap(nullptr, reserved_ + kHugePage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) continue;
    mapping_ = static_cast<std::byte*>(start);
    const auto address = reinterpret_cast<uintptr_t>(start);
    base_ = mapping_ + (round_up(address) - address);
    return;
  }
  fail(fmt::format("cannot reserve {} of address space: {} (is `ulimit -v` set?)", human_bytes(kSmallestReservation),
                   std::strerror(errno)));
}

Arena::~Arena() { munmap(mapping_, reserved_ + kHugePage); }

std::byte* Arena::ensure(size_t bytes) {
  const size_t wanted = round_up(bytes);
  if (wanted <= bytes_) return base_;
  const size_t more = wanted - bytes_;
  if (wanted > reserved_ || more > available_memory()) {
    fail(
        fmt::format("a step needs {} of memory for its values, {} more than there is now, and {} are free: use a "
                    "smaller batch, context or model, or more accumulation steps",
                    human_bytes(wanted), human_bytes(more), human_bytes(available_memory())));
  }
  if (mprotect(base_ + bytes_, more, PROT_READ | PROT_WRITE) != 0) {
    fail(fmt::format("cannot get {} of memory: {}", human_bytes(more), std::strerror(errno)));
  }
  madvise(base_ + bytes_, more, MADV_HUGEPAGE);
  std::memset(base_ + bytes_, 0, more);
  bytes_ = wanted;
  return base_;
}

}  // namespace sesame
