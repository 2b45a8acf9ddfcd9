#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace sesame {

/// Copies of strings that stay where they are until all are dropped together.
class ByteArena {
 public:
  std::string_view keep(std::string_view bytes) {
    if (bytes.size() > free_bytes_) add_block(bytes.size());
    char* const place = free_;
    if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
    free_ += bytes.size();
    free_bytes_ -= bytes.size();
    return {place, bytes.size()};
  }

  void clear() {
    blocks_.clear();
    free_ = nullptr;
    free_bytes_ = 0;
    memory_bytes_ = 0;
  }

  [[nodiscard]] uint64_t memory_bytes() const noexcept { return memory_bytes_; }

 private:
  static constexpr size_t block_bytes = size_t{64} << 10;

  void add_block(size_t least) {
    free_bytes_ = std::max(block_bytes, least);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(free_bytes_));
    free_ = blocks_.back().get();
    memory_bytes_ += free_bytes_;
  }

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t free_bytes_ = 0;
  uint64_t memory_bytes_ = 0;
};

}  // namespace sesame
