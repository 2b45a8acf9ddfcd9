#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/base/unnamed_file.h"
#include "sesame/text/words/word_map.h"

namespace sesame {

/// Counts of words that outgrew memory: each run lies sorted by the words' bytes in one temporary file, and all runs
/// are read side by side.
class SortedRuns {
 public:
  /// `directory` as for UnnamedFile; the file is made with the first run.
  explicit SortedRuns(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Writes what a map holds as one run. May be called from several threads.
  void add(const WordMap& counts);

  [[nodiscard]] bool empty() const noexcept { return runs_.empty(); }

  /// Calls emit(word, count) for every word once, by rising bytes, with the sum of its counts in all runs. The word is
  /// valid during the call.
  void merge(FunctionRef<void(std::string_view word, uint64_t count)> emit) const;

 private:
  struct Run {
    uint64_t begin = 0;  // in the file
    uint64_t end = 0;
  };
  class Reader;
  uint64_t reserve(uint64_t bytes);

  std::filesystem::path directory_;
  std::mutex mutex_;
  std::unique_ptr<UnnamedFile> file_;
  uint64_t end_ = 0;
  std::vector<Run> runs_;
};

}  // namespace sesame
