#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace sesame {

/// Words and their counts: an open-addressing table whose words lie in an arena of their own.
class WordTable {
 public:
  struct Entry {
    const char* data = nullptr;  // null: free
    size_t size = 0;
    uint64_t hash = 0;
    uint64_t count = 0;
    [[nodiscard]] std::string_view word() const { return {data, size}; }
  };

  WordTable();
  void add(std::string_view word, uint64_t count);
  [[nodiscard]] size_t size() const noexcept { return size_; }
  /// Free places included.
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

 private:
  void grow();
  const char* keep(std::string_view word);

  std::vector<Entry> entries_;
  size_t size_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_left_ = 0;
  char* block_ = nullptr;
};

}  // namespace sesame
