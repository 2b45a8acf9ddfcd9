#include "sesame/base/huge_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace sesame {

void advise_huge_pages(void* memory, size_t bytes) noexcept {
  constexpr uintptr_t page = uintptr_t{2} << 20;
  const auto begin = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const auto end = (reinterpret_cast<uintptr_t>(memory) + bytes) / page * page;
  if (begin < end) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace sesame
