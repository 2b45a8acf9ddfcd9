#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/words/word_map.h"
#include "sesame/word_vectors/words/for_each_block.h"
#include "sesame/word_vectors/words/phrases.h"

namespace sesame {

/// A pair of word ids as a key to count and look up.
struct WordPair {
  uint32_t first = 0;
  uint32_t second = 0;

  [[nodiscard]] std::string_view bytes() const noexcept { return {reinterpret_cast<const char*>(this), sizeof *this}; }
};

/// The pairs that one pass joins.
class PhraseModel::Pass {
 public:
  /// Words are numbered as they come.
  void add(std::string_view first, std::string_view second, Phrase phrase);

  /// The number of a word that is in some pair, or 0.
  [[nodiscard]] uint32_t number_of(std::string_view word) const noexcept {
    return static_cast<uint32_t>(numbers_.find(WordKey::of(word))->value);
  }
  [[nodiscard]] bool joins(uint32_t first, uint32_t second) const noexcept {
    return pairs_.find(WordKey::of(WordPair{first, second}.bytes()))->size != 0;
  }
  [[nodiscard]] const std::vector<Phrase>& phrases() const noexcept { return phrases_; }

 private:
  uint32_t number(std::string_view word);

  WordMap numbers_;
  WordMap pairs_;
  std::vector<Phrase> phrases_;
};

/// Takes a line word by word and hands its words on with phrases joined.
class PhraseJoiner {
 public:
  using Emit = FunctionRef<void(std::string_view word, bool joined)>;

  explicit PhraseJoiner(const PhraseModel& model) : model_(&model), stages_(model.passes().size()) {}

  void add(std::string_view word, Emit emit) { add(0, word, false, emit); }
  void end_line(Emit emit);

 private:
  /// The word of a pass that may still become the first half of a phrase.
  struct Stage {
    std::string word;  // empty: none
    uint32_t number = 0;
    bool joined = false;  // in this pass or before
  };
  void add(size_t stage, std::string_view word, bool joined, Emit emit);

  const PhraseModel* model_;
  std::vector<Stage> stages_;
};

/// Reads a corpus line by line with phrases joined, on all threads. `Line` is what the caller keeps of a line so far:
/// lines that are longer than a block hand it from thread to thread.
///
///   word(line, text, joined, thread)   for each word
///   end(line, thread)                  at the end of each line, also of empty ones; `line` is then made anew
///   behind(thread)                     behind each block, in the order of the text
template <typename Line, typename Word, typename End, typename Behind>
void for_each_joined_line(const WordSourceOptions& source, const PhraseModel& model, ThreadPool& threads,
                          const ReadProgress& progress, Word&& word, End&& end, Behind&& behind) {
  struct State {
    PhraseJoiner joiner;
    Line line;
  };
  std::vector<State> states(static_cast<size_t>(threads.threads()), State{PhraseJoiner(model), {}});
  State open{PhraseJoiner(model), {}};  // of a line that goes on in the next block
  const auto read = [&](const TextBlock& block, WordSplitter& splitter, int thread) {
    State& state = states[static_cast<size_t>(thread)];
    const auto emit = [&](std::string_view text, bool joined) { word(state.line, text, joined, thread); };
    const auto take = [&](std::string_view text, std::span<const WordSpan> words) {
      for (const WordSpan& span : words) {
        if (span.size > 0) {
          state.joiner.add(text.substr(span.begin, span.size), emit);
        } else {
          state.joiner.end_line(emit);
          end(state.line, thread);
          state.line = {};
        }
      }
    };
    splitter.split_spans(block, take, WordSplitter::Ends::lines);
  };
  for_each_block_in_order(
      source, threads, progress,
      [&](const TextBlock& block, WordSplitter& splitter, int thread) {
        if (!block.continues) read(block, splitter, thread);
      },
      [&](const TextBlock& block, WordSplitter& splitter, int thread) {
        State& state = states[static_cast<size_t>(thread)];
        if (block.continues) {
          std::swap(state, open);
          read(block, splitter, thread);
        }
        behind(thread);
        if (!block.ends_sentence) std::swap(state, open);
      },
      [](const TextBlock&, WordSplitter&, int) {});
}

}  // namespace sesame
