#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/words/word_span.h"

namespace sesame {

/// What counts as a word.
enum class WordUnit {
  whitespace,  // what stands between spaces, tabs and line breaks, carriage returns dropped: word2vec.c's rule, any
               // bytes
  character,   // one CJK character each; runs of other letters, marks, digits and underscores stay together; the rest
               // of the characters alone
  tokenizer,   // the pieces of a tokenizer, line by line, spelt as in tokenizer.json; white space in a piece becomes
               // '_', pieces of nothing else are left out
};

struct WordSourceOptions {
  std::vector<std::string> sources;  // paths, globs, "-"
  CorpusOptions corpus;              // a sentence ends at each line break and at the end of each document
  WordUnit unit = WordUnit::whitespace;
  std::optional<Tokenizer> tokenizer;      // of WordUnit::tokenizer
  bool lower_case = false;                 // Unicode's simple lower case
  size_t block_bytes = size_t{256} << 10;  // of a TextBlock, about
};

/// Text of a corpus that can be split into words independently of what stands before and behind: whole words, cut
/// behind a line break where there is one, else before a space (a single word of more than 1 MiB is cut anywhere).
/// Several short documents are one block, with a line break between them.
struct TextBlock {
  std::string text;
  int64_t index = 0;           // 0, 1, 2 ...
  bool continues = false;      // begins behind words of a line, which are in the block before
  bool ends_sentence = false;  // a line or a document ends here
};

/// Streams a corpus as such blocks, in order, in bounded memory. next() may be called from several threads; each block
/// goes to one of them. Blocks depend on the corpus and the options alone.
class TextBlocks {
 public:
  explicit TextBlocks(const WordSourceOptions& options);
  ~TextBlocks();
  /// False at the end of the corpus, and after an Error.
  bool next(TextBlock& block);
  /// Makes next() return false from now on.
  void stop();
  /// Bytes of text handed out so far, and of all sources as they are stored (0 where one can't tell).
  [[nodiscard]] uint64_t bytes() const noexcept;
  [[nodiscard]] uint64_t stored_bytes() const noexcept;
  /// To be called when no other thread is in next().
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

  /// Calls word(text) for each word in order (valid during the call) and sentence_end() behind each sentence. A
  /// sentence may go on in the next block.
  void split(const TextBlock& block, FunctionRef<void(std::string_view)> word, FunctionRef<void()> sentence_end);

  enum class Ends {
    sentences,  // of sentences that have words; the first one of a block that `continues` may have them in the block
                // before
    lines,      // every one, also of empty lines
  };
  /// The same, faster: a thousand words or so at a time, as spans of `text`.
  using Batch = FunctionRef<void(std::string_view text, std::span<const WordSpan> words)>;
  void split_spans(const TextBlock& block, Batch batch, Ends ends = Ends::sentences);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
