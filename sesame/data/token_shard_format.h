#pragma once

#include <array>
#include <cstdint>

namespace sesame {

/// The fixed parts of a token shard (docs/formats.md), little-endian, as they lie in the file.
struct TokenShardHeader {
  static constexpr std::array<char, 8> kMagic = {'S', 'E', 'S', 'A', 'M', 'E', 'T', 'K'};
  static constexpr uint32_t kVersion = 1;

  std::array<char, 8> magic = kMagic;
  uint32_t version = kVersion;
  uint32_t token_bytes = 0;  // 2 or 4
  uint64_t vocabulary_size = 0;
  uint64_t tokenizer_fingerprint = 0;
  std::array<uint64_t, 4> reserved = {};  // zero
};
static_assert(sizeof(TokenShardHeader) == 64);

struct TokenShardFooter {
  static constexpr std::array<char, 8> kMagic = {'S', 'E', 'S', 'T', 'K', 'E', 'N', 'D'};

  uint64_t tokens = 0;
  uint64_t documents = 0;
  uint64_t document_index_offset = 0;
  uint64_t block_checksums_offset = 0;
  uint64_t file_bytes = 0;
  uint64_t index_checksum = 0;  // XXH3 of document index and block checksums
  uint64_t ends_checksum = 0;   // XXH3 of the header and of the footer up to here
  std::array<char, 8> magic = kMagic;
};
static_assert(sizeof(TokenShardFooter) == 64);

/// Tokens are checked in blocks of this many bytes; only the last one may be shorter.
constexpr uint64_t kTokenBlockBytes = uint64_t{1} << 20;

/// Ids of vocabularies up to here fit two bytes.
constexpr uint64_t kMaxVocabularyOfTwoBytes = uint64_t{1} << 16;
constexpr uint64_t kMaxVocabulary = uint64_t{1} << 31;

/// TokenShardFooter::ends_checksum of these two.
uint64_t ends_checksum(const TokenShardHeader& header, const TokenShardFooter& footer);

}  // namespace sesame
