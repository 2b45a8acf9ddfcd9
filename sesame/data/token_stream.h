#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "sesame/data/token_shard.h"

namespace sesame {

/// A sequence of token ids that lies in shards or in memory, or a part of one. A value: cheap to copy, immutable, safe
/// to read from several threads. Holds its shards open.
class TokenStream {
 public:
  TokenStream() = default;

  /// The shards one after the other. Throws Error when they come from different tokenizers.
  static TokenStream from_shards(const std::vector<std::filesystem::path>& paths);
  static TokenStream from_ids(std::vector<int32_t> ids);

  [[nodiscard]] uint64_t size() const { return end_ - begin_; }

  /// Copies tokens [begin, begin + out.size()) of this stream. Throws Error past the end. Does not allocate.
  void copy(uint64_t begin, std::span<int32_t> out) const;

  /// Tokens [begin, end) as a stream of its own. Throws Error unless begin <= end <= size().
  [[nodiscard]] TokenStream slice(uint64_t begin, uint64_t end) const;

 private:
  struct Storage;

  std::shared_ptr<const Storage> storage_;
  uint64_t begin_ = 0;
  uint64_t end_ = 0;
};

}  // namespace sesame
