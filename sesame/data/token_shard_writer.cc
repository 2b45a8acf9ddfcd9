#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <system_error>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/hash.h"
#include "sesame/data/token_shard.h"
#include "sesame/data/token_shard_format.h"

namespace sesame {
namespace {

template <typename T>
std::span<const std::byte> bytes_of(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

std::filesystem::path temporary_beside(const std::filesystem::path& path) {
  std::filesystem::path temporary = path;
  temporary += fmt::format(".tmp.{}", ::getpid());
  return temporary;
}

}  // namespace

uint64_t ends_checksum(const TokenShardHeader& header, const TokenShardFooter& footer) {
  const auto footer_front = bytes_of(footer).first(offsetof(TokenShardFooter, ends_checksum));
  return xxh3(footer_front, xxh3(bytes_of(header)));
}

struct TokenShardWriter::State {
  FileSystem& files;
  std::filesystem::path path;
  FileWriter out;
  TokenShardHeader header;
  uint64_t tokens = 0;
  std::vector<std::byte> block;  // the tokens of the block that is not yet full
  std::vector<uint64_t> block_checksums;
  std::vector<uint64_t> document_ends;
  bool committed = false;

  void finish_block() {
    block_checksums.push_back(xxh3(block));
    out.write(block);
    block.clear();
  }

  template <typename Stored>
  void store(std::span<const int32_t> ids) {
    while (!ids.empty()) {
      const size_t room = (kTokenBlockBytes - block.size()) / sizeof(Stored);
      const size_t n = std::min(room, ids.size());
      const size_t before = block.size();
      block.resize(before + n * sizeof(Stored));
      // Blocks come from the allocator and grow by whole tokens, so this address is aligned.
      std::ranges::transform(ids.first(n), reinterpret_cast<Stored*>(block.data() + before),
                             [](int32_t id) { return static_cast<Stored>(id); });
      ids = ids.subspan(n);
      if (block.size() == kTokenBlockBytes) finish_block();
    }
  }
};

TokenShardWriter::TokenShardWriter(const std::filesystem::path& path, uint64_t vocabulary_size,
                                   uint64_t tokenizer_fingerprint, FileSystem& files) {
  if (vocabulary_size == 0 || vocabulary_size > kMaxVocabulary) {
    fail(fmt::format("{}: a vocabulary of {} ids, expected 1 to {}", path.string(), vocabulary_size, kMaxVocabulary));
  }
  state_.reset(new State{files, path, FileWriter::create(temporary_beside(path), files), {}, 0, {}, {}, {}, false});
  state_->header.token_bytes = vocabulary_size <= kMaxVocabularyOfTwoBytes ? 2 : 4;
  state_->header.vocabulary_size = vocabulary_size;
  state_->header.tokenizer_fingerprint = tokenizer_fingerprint;
  state_->block.reserve(kTokenBlockBytes);
  state_->out.write(bytes_of(state_->header));
}

TokenShardWriter::~TokenShardWriter() {
  if (state_ && !state_->committed) state_->files.remove_file(state_->out.path());
}

TokenShardWriter::TokenShardWriter(TokenShardWriter&&) noexcept = default;

void TokenShardWriter::append(std::span<const int32_t> ids) {
  const uint64_t vocabulary_size = state_->header.vocabulary_size;
  const auto outside =
      std::ranges::find_if(ids, [=](int32_t id) { return id < 0 || static_cast<uint64_t>(id) >= vocabulary_size; });
  if (outside != ids.end()) {
    fail(fmt::format(
        "{}: token id {} is outside the vocabulary of {} ids; does the tokenizer belong to this vocabulary?",
        state_->path.string(), *outside, vocabulary_size));
  }
  if (state_->header.token_bytes == 2) {
    state_->store<uint16_t>(ids);
  } else {
    state_->store<uint32_t>(ids);
  }
  state_->tokens += ids.size();
}

void TokenShardWriter::end_document() { state_->document_ends.push_back(state_->tokens); }

uint64_t TokenShardWriter::tokens() const { return state_->tokens; }

void TokenShardWriter::commit() {
  State& state = *state_;
  if (!state.block.empty()) state.finish_block();
  const std::vector<std::byte> padding((8 - state.out.bytes_written() % 8) % 8);
  state.out.write(padding);

  TokenShardFooter footer;
  footer.tokens = state.tokens;
  footer.documents = state.document_ends.size();
  footer.document_index_offset = state.out.bytes_written();
  state.out.write(std::as_bytes(std::span(state.document_ends)));
  footer.block_checksums_offset = state.out.bytes_written();
  state.out.write(std::as_bytes(std::span(state.block_checksums)));
  footer.file_bytes = state.out.bytes_written() + sizeof footer;
  footer.index_checksum =
      xxh3(std::as_bytes(std::span(state.block_checksums)), xxh3(std::as_bytes(std::span(state.document_ends))));
  footer.ends_checksum = ends_checksum(state.header, footer);
  state.out.write(bytes_of(footer));
  state.out.sync();
  state.out.close();

  const auto check = [&](int error) {
    if (error == 0) return;
    fail(fmt::format("cannot write {}: {}", state.path.string(), std::generic_category().message(error)));
  };
  check(state.files.rename(state.out.path(), state.path));
  state.committed = true;
  check(state.files.sync_directory(state.path.has_parent_path() ? state.path.parent_path() : "."));
}

}  // namespace sesame
