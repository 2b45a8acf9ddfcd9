#include "sesame/word_vectors/words/count_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/words/word_counts.h"
#include "sesame/word_vectors/words/for_each_block.h"
#include "sesame/word_vectors/words/sentence_count.h"

namespace sesame {
namespace {

constexpr std::string_view kEndOfSentence = "</s>";

/// The most frequent ones, as a Vocabulary orders them; "</s>" not counted.
void keep_most_frequent(std::vector<Vocabulary::Entry>& entries, size_t most) {
  if (entries.size() <= most) return;
  const auto nth = entries.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(entries.begin(), nth, entries.end(), [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : a.word < b.word;
  });
  entries.erase(nth, entries.end());
}

/// Takes a word "</s>" that stands in the text out of the entries; its count.
uint64_t take_end_of_sentence(std::vector<Vocabulary::Entry>& entries) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [](const auto& entry) { return entry.word == kEndOfSentence; });
  if (found == entries.end()) return 0;
  const uint64_t count = found->count;
  entries.erase(found);
  return count;
}

}  // namespace

CountResult count_words(const WordSourceOptions& source, const CountOptions& options, ThreadPool& threads,
                        const std::function<void(uint64_t)>& progress) {
  WordCounts counts(threads.threads(), options.memory_bytes, options.temporary_directory);
  SentenceCount sentences;
  for_each_block(source, threads, progress, [&](const TextBlock& block, WordSplitter& splitter, int thread) {
    SentenceCount::Block ends;
    splitter.split_spans(block, [&](std::string_view text, std::span<const WordSpan> words) {
      ends.add(words);
      counts.add(thread, text, words);
    });
    sentences.add(block.index, ends);
  });
  WordCounts::Merged merged = counts.merge(options.min_count, threads);

  CountResult result;
  result.words = merged.words;
  result.distinct_words = merged.distinct;
  result.sentences = sentences.total();
  const uint64_t literal_ends = options.end_of_sentence ? take_end_of_sentence(merged.entries) : 0;
  if (options.max_words > 0) keep_most_frequent(merged.entries, static_cast<size_t>(options.max_words));
  if (merged.entries.empty()) {
    fail(fmt::format("no word occurs {} times in this corpus of {} words, {} of them distinct; lower --min-count",
                     options.min_count, result.words, result.distinct_words));
  }
  if (options.end_of_sentence) merged.entries.push_back({kEndOfSentence, result.sentences + literal_ends});
  result.vocabulary = Vocabulary(std::move(merged.entries), options.end_of_sentence);
  return result;
}

}  // namespace sesame
