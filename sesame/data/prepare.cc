#include "sesame/data/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/data/token_cache.h"
#include "sesame/data/token_shard.h"
#include "sesame/data/tokenize_blocks.h"

namespace sesame {
namespace {

/// Writes tokens into one shard after the other.
class ShardSeries {
 public:
  ShardSeries(std::filesystem::path directory, const PrepareOptions& options)
      : directory_(std::move(directory)), options_(options) {}

  void append(const TextBlock& block) {
    const std::span<const int32_t> ids = block.ids;
    size_t begin = 0;
    for (const TextBlock::Piece& piece : block.pieces) {
      if (!shard_) open();
      append_ids(ids.subspan(begin, piece.ids_end - begin));
      begin = piece.ids_end;
      if (piece.ends_document) end_document();
      if (shard_->tokens() >= options_.tokens_per_shard) close();
    }
  }

  /// The paths of all shards, committed.
  std::vector<std::filesystem::path> finish() {
    if (shard_) close();
    return std::exchange(paths_, {});
  }

  [[nodiscard]] uint64_t tokens() const { return tokens_; }

 private:
  void open() {
    paths_.push_back(shard_path(directory_, paths_.size()));
    shard_.emplace(paths_.back(), options_.vocabulary_size, options_.tokenizer_fingerprint);
  }

  void close() {
    shard_->commit();
    shard_.reset();
  }

  void append_ids(std::span<const int32_t> ids) {
    shard_->append(ids);
    tokens_ += ids.size();
  }

  void end_document() {
    if (options_.end_of_document) append_ids(std::array{*options_.end_of_document});
    shard_->end_document();
  }

  std::filesystem::path directory_;
  const PrepareOptions& options_;
  std::optional<TokenShardWriter> shard_;
  std::vector<std::filesystem::path> paths_;
  uint64_t tokens_ = 0;
};

bool is_compressed(const CorpusFile& file) { return file.path.ends_with(".gz") || file.path.ends_with(".zst"); }

/// Bytes of text to come, or 0 when that can't be told from the files' sizes.
uint64_t total_bytes(const std::vector<CorpusFile>& files) {
  uint64_t total = 0;
  for (const CorpusFile& file : files) {
    if (!file.regular || is_compressed(file)) return 0;
    total += file.bytes;
  }
  return total;
}

PreparedCorpus tokenize_into(const std::filesystem::path& directory, const std::vector<CorpusFile>& files,
                             const PrepareOptions& options, const Tokenize& tokenize,
                             const std::function<void(const PrepareProgress&)>& progress) {
  DocumentReader reader(files, options.corpus);
  ThreadPool pool(options.threads);
  BlockTokenizer tokenizer(reader, tokenize, pool);
  ShardSeries shards(directory, options);
  const uint64_t bytes_total = total_bytes(files);
  for (auto blocks = tokenizer.next(); !blocks.empty(); blocks = tokenizer.next()) {
    for (const TextBlock& block : blocks) shards.append(block);
    if (progress) progress({reader.counts().bytes, shards.tokens(), bytes_total});
  }
  if (shards.tokens() == 0) {
    fail(fmt::format("{}: {} bytes of text gave no tokens; does the tokenizer fit this text?", files.front().path,
                     reader.counts().bytes));
  }
  PreparedCorpus corpus;
  corpus.shards = shards.finish();
  corpus.tokens = TokenStream::from_shards(corpus.shards);
  corpus.documents = reader.counts().documents;
  corpus.text_bytes = reader.counts().bytes;
  corpus.bad_lines = reader.counts().bad_lines;
  corpus.first_bad_lines = reader.counts().first_bad_lines;
  return corpus;
}

}  // namespace

PreparedCorpus prepare_tokens(const std::vector<std::string>& sources, const PrepareOptions& options,
                              const Tokenize& tokenize, const std::function<void(const PrepareProgress&)>& progress) {
  const std::vector<CorpusFile> files = expand_sources(sources);
  const std::filesystem::path entry = cache_entry_path(files, options);
  const bool has_identity = std::ranges::all_of(files, &CorpusFile::regular);
  if (has_identity) {
    if (auto cached = load_cache_entry(entry)) return *std::move(cached);
  }
  CacheEntryDraft draft(entry);
  PreparedCorpus corpus = tokenize_into(draft.directory(), files, options, tokenize, progress);
  draft.install(corpus, has_identity);
  for (std::filesystem::path& shard : corpus.shards) shard = entry / shard.filename();
  return corpus;
}

}  // namespace sesame
