#include "sesame/data/token_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {

/// Either shards or ids.
struct TokenStream::Storage {
  std::vector<TokenShard> shards;
  std::vector<uint64_t> shard_ends;  // in tokens of the whole stream
  std::vector<int32_t> ids;

  void copy(uint64_t begin, std::span<int32_t> out) const {
    if (shards.empty()) {
      std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(begin), out.size(), out.begin());
      return;
    }
    auto shard = static_cast<size_t>(std::ranges::upper_bound(shard_ends, begin) - shard_ends.begin());
    while (!out.empty()) {
      const uint64_t n = std::min<uint64_t>(out.size(), shard_ends[shard] - begin);
      const uint64_t shard_begin = shard_ends[shard] - shards[shard].size();
      shards[shard].copy(begin - shard_begin, out.first(n));
      out = out.subspan(n);
      begin += n;
      ++shard;
    }
  }
};

TokenStream TokenStream::from_shards(const std::vector<std::filesystem::path>& paths) {
  auto storage = std::make_shared<Storage>();
  uint64_t tokens = 0;
  for (const std::filesystem::path& path : paths) {
    const TokenShard& shard = storage->shards.emplace_back(path);
    const TokenShard& first = storage->shards.front();
    if (shard.info().tokenizer_fingerprint != first.info().tokenizer_fingerprint ||
        shard.info().vocabulary_size != first.info().vocabulary_size) {
      fail(fmt::format("{} and {} come from different tokenizers; prepare both with one", first.path().string(),
                       path.string()));
    }
    tokens += shard.size();
    storage->shard_ends.push_back(tokens);
  }
  TokenStream stream;
  stream.storage_ = std::move(storage);
  stream.end_ = tokens;
  return stream;
}

TokenStream TokenStream::from_ids(std::vector<int32_t> ids) {
  auto storage = std::make_shared<Storage>();
  storage->ids = std::move(ids);
  TokenStream stream;
  stream.end_ = storage->ids.size();
  stream.storage_ = std::move(storage);
  return stream;
}

void TokenStream::copy(uint64_t begin, std::span<int32_t> out) const {
  if (begin > size() || out.size() > size() - begin) {
    fail(fmt::format("tokens [{}, {}) asked of a stream of {}", begin, begin + out.size(), size()));
  }
  if (!out.empty()) storage_->copy(begin_ + begin, out);
}

TokenStream TokenStream::slice(uint64_t begin, uint64_t end) const {
  if (begin > end || end > size()) fail(fmt::format("tokens [{}, {}) asked of a stream of {}", begin, end, size()));
  TokenStream part = *this;
  part.begin_ = begin_ + begin;
  part.end_ = begin_ + end;
  return part;
}

}  // namespace sesame
