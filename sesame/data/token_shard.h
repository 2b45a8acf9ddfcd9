#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "sesame/base/file_system.h"

namespace sesame {

/// What a token shard says of itself. The format is described to the byte in docs/formats.md.
struct TokenShardInfo {
  uint64_t tokens = 0;
  uint64_t documents = 0;
  uint64_t vocabulary_size = 0;
  uint64_t tokenizer_fingerprint = 0;
  int token_bytes = 2;  // 2 for vocabularies of up to 65,536 ids, else 4
};

/// Writes a shard to a temporary file beside `path`. Nothing is at `path` until commit(); without it the destructor
/// removes the temporary file. Memory: 8 bytes per document and per MiB of tokens.
class TokenShardWriter {
 public:
  /// 1 <= vocabulary_size <= 2^31. Throws Error when the file can't be created.
  TokenShardWriter(const std::filesystem::path& path, uint64_t vocabulary_size, uint64_t tokenizer_fingerprint,
                   FileSystem& files = FileSystem::posix());
  ~TokenShardWriter();
  TokenShardWriter(TokenShardWriter&&) noexcept;

  /// Throws Error for an id outside [0, vocabulary_size) and when the disk refuses.
  void append(std::span<const int32_t> ids);

  /// Ends a document after the tokens appended so far.
  void end_document();

  [[nodiscard]] uint64_t tokens() const;

  /// Writes index, checksums and footer, syncs, and renames to `path`. Call once, last.
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A shard, mapped into memory. Cheap to copy; safe to read from several threads.
class TokenShard {
 public:
  /// Opens and checks magic, version, sizes, offsets, document index and the checksum over header, index and footer
  /// (all but the tokens themselves: see verify). Throws Error that names the file and what is wrong.
  explicit TokenShard(const std::filesystem::path& path);

  [[nodiscard]] const TokenShardInfo& info() const;
  [[nodiscard]] uint64_t size() const { return info().tokens; }
  [[nodiscard]] const std::filesystem::path& path() const;

  /// Copies tokens [begin, begin + out.size()). Throws Error past the end, or when an id is not in the vocabulary (a
  /// damaged file).
  void copy(uint64_t begin, std::span<int32_t> out) const;

  /// Token index behind the last token of document `index`.
  [[nodiscard]] uint64_t document_end(uint64_t index) const;

  /// Reads the whole file and checks every block of 1 MiB against its checksum. Throws Error that names the block.
  void verify() const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace sesame
