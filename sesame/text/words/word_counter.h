#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/split/split_pattern.h"
#include "sesame/text/split/splitter.h"
#include "sesame/text/words/word_span.h"

namespace sesame {

struct TokenizerSpec;

/// Cuts text into the words that a trainer counts: calls emit(word) for each, in order; a word is valid during the
/// call. Called from several threads at once.
using WordSplit = std::function<void(std::string_view text, FunctionRef<void(std::string_view word)> emit)>;

/// The words that the normalizer and the pre-tokenizer of a pipeline make, spelled as its model sees them. `origin`
/// names the pipeline in errors.
WordSplit words_of_pipeline(const TokenizerSpec& spec, std::string_view origin);

struct WordCounterOptions {
  std::vector<std::string> special_tokens = {"<|endoftext|>"};
  int threads = 0;                                 // as for ThreadPool: 0 is one per processor
  uint64_t memory_bytes = uint64_t{4} << 30;       // for counts; what outgrows them goes to a temporary file
  std::filesystem::path temporary_directory = {};  // empty: the system's
  bool keep_order = false;                         // count() gives words by first occurrence: one thread, all in memory
};

/// Counts the pre-tokenized words of a stream of documents, the input of every trainer. Documents are counted on
/// several threads in batches, in bounded memory; the counts depend neither on the threads nor on the memory. Special
/// tokens written in a document separate words and are not counted. One caller at a time.
class WordCounter {
 public:
  explicit WordCounter(SplitPattern pattern, std::vector<std::string> special_tokens = {"<|endoftext|>"},
                       int threads = 0);
  WordCounter(SplitPattern pattern, WordCounterOptions options);
  /// `cut_by` says how words are made (a regular expression, a name): what was saved with one is not loaded with
  /// another.
  WordCounter(std::shared_ptr<const Splitter> splitter, std::string cut_by, WordCounterOptions options);
  /// A document goes to `split` in one piece, or in the pieces between special tokens.
  WordCounter(WordSplit split, std::string cut_by, WordCounterOptions options);
  ~WordCounter();
  WordCounter(WordCounter&&) noexcept;
  WordCounter& operator=(WordCounter&&) noexcept;

  /// Adds one document; its text may go away after the call. A word never spans two documents.
  void add(std::string_view document);

  using Count = WordCount;

  /// All words so far, sorted by their bytes (or by first occurrence, with keep_order); valid while the counter lives
  /// and is not added to.
  [[nodiscard]] std::vector<WordCount> counts() const;
  /// The same in an order that depends on chance, which costs less.
  [[nodiscard]] std::vector<WordCount> unordered_counts() const;

  /// Writes all counts so far to a file, atomically and with a checksum, so that load may go on from there in another
  /// process. More may be added afterwards.
  void save(const std::filesystem::path& path) const;
  /// Adds what save has written. Throws Error for a file that is damaged, or whose words were cut in another way or
  /// between other special tokens.
  void load(const std::filesystem::path& path);

  [[nodiscard]] uint64_t bytes() const noexcept;      // of text added, loaded counts included
  [[nodiscard]] uint64_t documents() const noexcept;  // added, loaded ones included
  /// The pattern that was given, gpt2 where it was none.
  [[nodiscard]] SplitPattern pattern() const noexcept;
  [[nodiscard]] const std::vector<std::string>& special_tokens() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
