#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/corpus/document_reader.h"
#include "sesame/data/token_stream.h"

namespace sesame {

/// Appends the ids of a text. Called from several threads at once.
using Tokenize = std::function<void(std::string_view text, std::vector<int32_t>& ids)>;

struct PrepareOptions {
  CorpusOptions corpus;
  std::filesystem::path cache_directory;
  uint64_t vocabulary_size = 0;
  uint64_t tokenizer_fingerprint = 0;      // equal fingerprints must mean equal ids for every text
  std::optional<int32_t> end_of_document;  // id that is appended after each document
  int threads = 0;                         // 0: one per processor; the result does not depend on it
  uint64_t tokens_per_shard = uint64_t{1} << 28;
};

struct PrepareProgress {
  uint64_t bytes_done = 0;  // of text
  uint64_t tokens_done = 0;
  uint64_t bytes_total = 0;  // 0 when unknown: standard input, compressed files
};

struct PreparedCorpus {
  TokenStream tokens;
  std::vector<std::filesystem::path> shards;
  uint64_t documents = 0;
  uint64_t text_bytes = 0;  // for bits per byte
  uint64_t bad_lines = 0;   // jsonl lines that were skipped
  std::vector<std::string> first_bad_lines;
  bool reused = false;  // found in the cache
};

/// Tokenises a corpus into shards in `cache_directory`/<key>, where the key is a hash of the sources' paths, sizes and
/// modification times, the tokenizer's fingerprint and the options; takes what is there when it is whole and unchanged.
/// Standard input and pipes are tokenised anew each time. Ids and shards are the same for any number of threads. A
/// killed call leaves no half result that a later one would take. Throws Error for what DocumentReader and
/// TokenShardWriter refuse and for a corpus that gives no tokens.
PreparedCorpus prepare_tokens(const std::vector<std::string>& sources, const PrepareOptions& options,
                              const Tokenize& tokenize,
                              const std::function<void(const PrepareProgress&)>& progress = {});

}  // namespace sesame
