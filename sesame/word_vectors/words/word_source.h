#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/text/tokenizer.h"

namespace sesame {

/// What counts as a word.
enum class WordUnit {
  whitespace,  // what stands between spaces, tabs and line breaks, carriage returns dropped: word2vec.c's rule, any
               // bytes
  character,   // one CJK character each; runs of other letters and digits stay together; the rest of the characters
               // alone
  tokenizer,   // the pieces of a tokenizer, spelt as in tokenizer.json
};

struct WordSourceOptions {
  std::vector<std::string> sources;  // paths, globs, "-"
  CorpusOptions corpus;              // boundary file: a sentence ends at each line break; jsonl: also at each document
  WordUnit unit = WordUnit::whitespace;
  std::optional<Tokenizer> tokenizer;  // of WordUnit::tokenizer
  bool lower_case = false;             // Unicode's simple lower case
};

/// Text of a corpus that can be split into words independently of what stands before and behind: whole words, cut where
/// white space is (a single word of more than 1 MiB is cut anywhere).
struct TextBlock {
  std::string text;
  int64_t index = 0;           // 0, 1, 2 ...
  bool ends_sentence = false;  // a document ends here
};

/// Streams a corpus as such blocks of about 256 KiB, in order, in bounded memory. next() may be called from several
/// threads; each block goes to one of them.
class TextBlocks {
 public:
  explicit TextBlocks(const WordSourceOptions& options);
  ~TextBlocks();
  bool next(TextBlock& block);
  /// Bytes of text handed out so far, and of all sources as they are stored (0 where one can't tell).
  [[nodiscard]] uint64_t bytes() const noexcept;
  [[nodiscard]] uint64_t stored_bytes() const noexcept;
  [[nodiscard]] const CorpusCounts& counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Splits blocks into words. One for each thread.
class WordSplitter {
 public:
  explicit WordSplitter(const WordSourceOptions& options);
  ~WordSplitter();
  /// Calls word(text) for each word in order (valid during the call) and sentence_end() between sentences.
  void split(const TextBlock& block, FunctionRef<void(std::string_view)> word, FunctionRef<void()> sentence_end);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
