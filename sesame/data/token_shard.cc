#include "sesame/data/token_shard.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"
#include "sesame/data/token_shard_format.h"

namespace sesame {
namespace {

static_assert(std::endian::native == std::endian::little, "tokens are used as they lie in the file");

constexpr uint64_t kIndexEntryBytes = sizeof(uint64_t);

template <typename T>
T value_at(std::span<const std::byte> bytes, uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

struct TokenShard::State {
  MappedFile file;
  TokenShardHeader header;
  TokenShardFooter footer;
  TokenShardInfo info;

  [[noreturn]] void fail_damaged(const std::string& what) const {
    fail(fmt::format("{}: not a whole token shard: {}; delete it, it is made anew from the corpus",
                     file.path().string(), what));
  }

  void read_ends() {
    const std::span<const std::byte> bytes = file.bytes();
    if (bytes.size() < sizeof header + sizeof footer) {
      fail_damaged(fmt::format("{} bytes, expected at least {}", bytes.size(), sizeof header + sizeof footer));
    }
    header = value_at<TokenShardHeader>(bytes, 0);
    footer = value_at<TokenShardFooter>(bytes, bytes.size() - sizeof footer);
    if (header.magic != TokenShardHeader::kMagic) fail_damaged("it does not start with SESAMETK");
    if (header.version != TokenShardHeader::kVersion) {
      fail_damaged(fmt::format("version {}, expected {}", header.version, TokenShardHeader::kVersion));
    }
    if (footer.magic != TokenShardFooter::kMagic) fail_damaged("it does not end with SESTKEND: truncated?");
    if (footer.ends_checksum != ends_checksum(header, footer)) fail_damaged("header or footer fail their checksum");
  }

  // Every number is compared with the file's size before it is multiplied or used.
  void check_layout() const {
    const uint64_t size = file.size();
    const uint64_t vocabulary_size = header.vocabulary_size;
    const uint64_t expected_bytes = vocabulary_size <= kMaxVocabularyOfTwoBytes ? 2 : 4;
    if (vocabulary_size == 0 || vocabulary_size > kMaxVocabulary || header.token_bytes != expected_bytes) {
      fail_damaged(fmt::format("{} bytes a token for {} ids", header.token_bytes, vocabulary_size));
    }
    if (footer.file_bytes != size) fail_damaged(fmt::format("{} bytes, expected {}", size, footer.file_bytes));
    if (footer.tokens > size || footer.documents > size) {
      fail_damaged(fmt::format("{} tokens in {} documents do not fit {} bytes", footer.tokens, footer.documents, size));
    }
    const uint64_t token_end = sizeof header + footer.tokens * header.token_bytes;
    const uint64_t index = (token_end + 7) / 8 * 8;
    const uint64_t checksums = index + footer.documents * kIndexEntryBytes;
    const uint64_t end = checksums + blocks() * kIndexEntryBytes + sizeof footer;
    if (footer.document_index_offset != index || footer.block_checksums_offset != checksums || end != size) {
      fail_damaged(fmt::format("its parts do not fill {} bytes exactly", size));
    }
  }

  void check_index() const {
    const auto index = document_index();
    if (xxh3(block_checksums(), xxh3(index)) != footer.index_checksum) fail_damaged("its index fails its checksum");
    uint64_t previous = 0;
    for (uint64_t i = 0; i < footer.documents; ++i) {
      const auto end = value_at<uint64_t>(index, i * kIndexEntryBytes);
      if (end < previous || end > footer.tokens) {
        fail_damaged(fmt::format("document {} ends at token {}, expected {} to {}", i, end, previous, footer.tokens));
      }
      previous = end;
    }
  }

  [[nodiscard]] uint64_t blocks() const {
    return (footer.tokens * header.token_bytes + kTokenBlockBytes - 1) / kTokenBlockBytes;
  }
  [[nodiscard]] std::span<const std::byte> token_bytes() const {
    return file.bytes().subspan(sizeof header, footer.tokens * header.token_bytes);
  }
  [[nodiscard]] std::span<const std::byte> document_index() const {
    return file.bytes().subspan(footer.document_index_offset, footer.documents * kIndexEntryBytes);
  }
  [[nodiscard]] std::span<const std::byte> block_checksums() const {
    return file.bytes().subspan(footer.block_checksums_offset, blocks() * kIndexEntryBytes);
  }

  /// Copies and returns the largest id.
  template <typename Stored>
  uint64_t copy(uint64_t begin, std::span<int32_t> out) const {
    // The header is 64 bytes long and the mapping starts at a page, so the tokens are aligned.
    const auto* stored = reinterpret_cast<const Stored*>(token_bytes().data()) + begin;
    Stored largest = 0;
    for (size_t i = 0; i < out.size(); ++i) {
      largest = std::max(largest, stored[i]);
      out[i] = static_cast<int32_t>(stored[i]);
    }
    return largest;
  }
};

TokenShard::TokenShard(const std::filesystem::path& path) {
  auto state = std::make_shared<State>();
  state->file = MappedFile(path);
  state->read_ends();
  state->check_layout();
  state->check_index();
  state->info = {state->footer.tokens, state->footer.documents, state->header.vocabulary_size,
                 state->header.tokenizer_fingerprint, static_cast<int>(state->header.token_bytes)};
  state_ = std::move(state);
}

const TokenShardInfo& TokenShard::info() const { return state_->info; }

const std::filesystem::path& TokenShard::path() const { return state_->file.path(); }

void TokenShard::copy(uint64_t begin, std::span<int32_t> out) const {
  if (begin > size() || out.size() > size() - begin) {
    fail(fmt::format("{}: tokens [{}, {}) asked of {}", path().string(), begin, begin + out.size(), size()));
  }
  if (out.empty()) return;
  const uint64_t largest =
      info().token_bytes == 2 ? state_->copy<uint16_t>(begin, out) : state_->copy<uint32_t>(begin, out);
  if (largest >= info().vocabulary_size) {
    state_->fail_damaged(fmt::format("token id {} in [{}, {}), its vocabulary has {} ids", largest, begin,
                                     begin + out.size(), info().vocabulary_size));
  }
}

uint64_t TokenShard::document_end(uint64_t index) const {
  if (index >= info().documents) {
    fail(fmt::format("{}: document {} asked of {}", path().string(), index, info().documents));
  }
  return value_at<uint64_t>(state_->document_index(), index * kIndexEntryBytes);
}

void TokenShard::verify() const {
  const std::span<const std::byte> tokens = state_->token_bytes();
  for (uint64_t block = 0; block < state_->blocks(); ++block) {
    const uint64_t begin = block * kTokenBlockBytes;
    const auto bytes = tokens.subspan(begin, std::min(kTokenBlockBytes, tokens.size() - begin));
    if (xxh3(bytes) != value_at<uint64_t>(state_->block_checksums(), block * kIndexEntryBytes)) {
      state_->fail_damaged(fmt::format("block {} of 1 MiB fails its checksum", block));
    }
  }
}

}  // namespace sesame
