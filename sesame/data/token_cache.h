#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sesame/data/prepare.h"

namespace sesame {

/// The directory under `options.cache_directory` for this corpus, tokenizer and these options: 16 hexadecimal digits.
std::filesystem::path cache_entry_path(const std::vector<CorpusFile>& files, const PrepareOptions& options);

/// The path of shard `index` in a cache entry.
std::filesystem::path shard_path(const std::filesystem::path& entry, size_t index);

/// What lies in a cache entry, or nothing when it is missing, incomplete or damaged.
std::optional<PreparedCorpus> load_cache_entry(const std::filesystem::path& entry);

/// A cache entry in the making: a directory beside it that takes its place when it is whole. The destructor removes
/// what was not installed; the constructor removes what killed processes of this machine left behind.
class CacheEntryDraft {
 public:
  explicit CacheEntryDraft(const std::filesystem::path& entry);
  ~CacheEntryDraft();
  CacheEntryDraft(const CacheEntryDraft&) = delete;
  CacheEntryDraft& operator=(const CacheEntryDraft&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  /// Writes the manifest last and renames the directory to the entry. What lies there goes, unless `keep_existing` and
  /// it is whole: then another process was faster.
  void install(const PreparedCorpus& corpus, bool keep_existing);

 private:
  std::filesystem::path entry_;
  std::filesystem::path directory_;
};

}  // namespace sesame
