#include "sesame/text/bpe/bpe_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/bpe/pair_map.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/string_map.h"

namespace sesame {
namespace {

constexpr int32_t merges_between_reports = 256;

/// The corpus as distinct words of symbols, and the counts of neighbouring symbols, kept up to date merge by merge: a
/// merge touches only the words that hold its pair.
class PairCounter {
 public:
  PairCounter(const std::vector<WordCounter::Count>& words, const std::vector<int32_t>& byte_ids) {
    for (const WordCounter::Count& word : words) add_word(word, byte_ids);
    word_marks_.resize(words_.size(), 0);
  }

  /// Replaces the pair everywhere by `merged`. Afterwards `raised` holds the pairs whose count has grown.
  void merge(uint64_t pair, int32_t merged, std::vector<uint64_t>& raised);

  [[nodiscard]] int64_t count(uint64_t pair) const {
    const uint32_t* index = indices_.find(pair);
    return index == nullptr ? 0 : pairs_[*index].count;
  }

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const Pair& pair : pairs_) visit(pair.key, pair.count);
  }

 private:
  struct Word {
    size_t begin;
    uint32_t length;
    int64_t count;
  };
  struct Pair {
    uint64_t key;
    int64_t count = 0;
    std::vector<uint32_t> words;  // that hold it, or once did
    uint32_t mark = 0;            // the merge that raised it last
  };

  void add_word(const WordCounter::Count& word, const std::vector<int32_t>& byte_ids);
  void merge_in_word(uint32_t word, uint64_t pair, int32_t merged, std::vector<uint64_t>& raised);
  Pair& change(uint64_t pair, int64_t by);
  void raise(uint64_t pair, int64_t by, uint32_t word, std::vector<uint64_t>* raised);

  std::vector<int32_t> symbols_;
  std::vector<Word> words_;
  std::vector<uint32_t> word_marks_;  // the merge that saw the word last
  PairMap<uint32_t> indices_;
  std::vector<Pair> pairs_;
  uint32_t merge_ = 0;
};

void PairCounter::add_word(const WordCounter::Count& word, const std::vector<int32_t>& byte_ids) {
  // Counts add up to at most the bytes of the corpus; this keeps their sums exact for any corpus there is.
  constexpr uint64_t limit = uint64_t{1} << 62;
  if (word.word.size() < 2) return;
  if (words_.size() >= std::numeric_limits<uint32_t>::max() || word.word.size() > std::numeric_limits<int32_t>::max()) {
    fail("too many distinct words, or too long ones, for a BPE trainer: split the text into lines or documents");
  }
  const auto index = static_cast<uint32_t>(words_.size());
  const auto count = static_cast<int64_t>(std::min(word.count, limit));
  words_.push_back({symbols_.size(), static_cast<uint32_t>(word.word.size()), count});
  for (const char c : word.word) symbols_.push_back(byte_ids[static_cast<uint8_t>(c)]);
  const int32_t* s = symbols_.data() + words_.back().begin;
  for (size_t i = 0; i + 1 < word.word.size(); ++i) raise(pair_key(s[i], s[i + 1]), count, index, nullptr);
}

PairCounter::Pair& PairCounter::change(uint64_t pair, int64_t by) {
  const uint32_t index = indices_.get_or_add(pair, static_cast<uint32_t>(pairs_.size()));
  if (index == pairs_.size()) pairs_.push_back({pair, 0, {}, 0});
  pairs_[index].count += by;
  return pairs_[index];
}

void PairCounter::raise(uint64_t pair, int64_t by, uint32_t word, std::vector<uint64_t>* raised) {
  Pair& p = change(pair, by);
  if (p.words.empty() || p.words.back() != word) p.words.push_back(word);
  if (raised == nullptr || p.mark == merge_) return;
  p.mark = merge_;
  raised->push_back(pair);
}

void PairCounter::merge(uint64_t pair, int32_t merged, std::vector<uint64_t>& raised) {
  ++merge_;
  raised.clear();
  Pair& p = change(pair, 0);
  const std::vector<uint32_t> words = std::exchange(p.words, {});
  for (const uint32_t word : words) {
    if (std::exchange(word_marks_[word], merge_) != merge_) merge_in_word(word, pair, merged, raised);
  }
  // The pair is gone from every word; overlapping occurrences ("aaa") were counted more often than merged.
  Pair& gone = change(pair, 0);
  gone.count = 0;
}

void PairCounter::merge_in_word(uint32_t index, uint64_t pair, int32_t merged, std::vector<uint64_t>& raised) {
  Word& word = words_[index];
  int32_t* s = symbols_.data() + word.begin;
  const int32_t left = pair_left(pair);
  const int32_t right = pair_right(pair);
  uint32_t to = 0;
  for (uint32_t from = 0; from < word.length;) {
    if (from + 1 == word.length || s[from] != left || s[from + 1] != right) {
      s[to++] = s[from++];
      continue;
    }
    if (to > 0) {
      change(pair_key(s[to - 1], left), -word.count);
      raise(pair_key(s[to - 1], merged), word.count, index, &raised);
    }
    if (from + 2 < word.length) {
      change(pair_key(right, s[from + 2]), -word.count);
      raise(pair_key(merged, s[from + 2]), word.count, index, &raised);
    }
    s[to++] = merged;
    from += 2;
  }
  word.length = to;
}

/// Pairs by count, ties by the rule. Counts only ever fall behind a queued one or are queued anew when they grow, so
/// the first entry whose count is current is the most frequent pair.
class PairQueue {
 public:
  PairQueue(BpeTie tie, const std::vector<std::string>& token_bytes) : tie_(tie), token_bytes_(token_bytes) {}

  struct Entry {
    int64_t count;
    uint64_t pair;
  };

  void push(Entry entry) {
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), [&](const Entry& a, const Entry& b) { return after(a, b); });
  }

  [[nodiscard]] bool empty() const { return heap_.empty(); }

  Entry pop() {
    std::pop_heap(heap_.begin(), heap_.end(), [&](const Entry& a, const Entry& b) { return after(a, b); });
    const Entry entry = heap_.back();
    heap_.pop_back();
    return entry;
  }

 private:
  [[nodiscard]] bool after(const Entry& a, const Entry& b) const {
    if (a.count != b.count) return a.count < b.count;
    if (tie_ == BpeTie::smallest_ids) return a.pair > b.pair;
    const int left = bytes(pair_left(a.pair)).compare(bytes(pair_left(b.pair)));
    return left != 0 ? left < 0 : bytes(pair_right(a.pair)) < bytes(pair_right(b.pair));
  }

  [[nodiscard]] const std::string& bytes(int32_t id) const { return token_bytes_[static_cast<size_t>(id)]; }

  BpeTie tie_;
  const std::vector<std::string>& token_bytes_;
  std::vector<Entry> heap_;
};

/// The vocabulary as it grows.
struct Vocabulary {
  std::vector<std::string> bytes;  // by id; special tokens as they are written
  StringMap ids;                   // of the tokens that are not special
  std::vector<int32_t> byte_ids = std::vector<int32_t>(256);
  std::vector<model::Merge> merges;

  explicit Vocabulary(const std::vector<std::string>& special_tokens) : bytes(special_tokens) {
    std::vector<uint8_t> order;
    for (int b = 0; b < 256; ++b) order.push_back(static_cast<uint8_t>(b));
    std::sort(order.begin(), order.end(),
              [](uint8_t a, uint8_t b) { return byte_to_code_point(a) < byte_to_code_point(b); });
    for (const uint8_t b : order) byte_ids[b] = add(std::string(1, static_cast<char>(b)));
  }

  [[nodiscard]] int32_t size() const { return static_cast<int32_t>(bytes.size()); }

  /// The id of a token, new unless another merge has made the same token already.
  int32_t add(std::string token) {
    const auto [place, added] = ids.try_emplace(token, size());
    if (added) bytes.push_back(std::move(token));
    return place->second;
  }
};

Tokenizer finish(Vocabulary vocabulary, const WordCounter& words) {
  TokenizerSpec spec;
  const std::vector<std::string>& specials = words.special_tokens();
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string& bytes = vocabulary.bytes[static_cast<size_t>(id)];
    const bool special = static_cast<size_t>(id) < specials.size();
    spec.vocabulary.push_back({special ? bytes : spell_bytes(bytes), id});
    if (special) spec.added_tokens.push_back(special_token(bytes, id));
  }
  model::Bpe bpe;
  bpe.merges = std::move(vocabulary.merges);
  spec.model = std::move(bpe);
  set_byte_level_stages(spec, words.pattern());
  return Tokenizer(std::move(spec), "trained BPE tokenizer");
}

}  // namespace

Tokenizer train_byte_level_bpe(const WordCounter& words, const BpeTrainerOptions& options) {
  const int32_t least = static_cast<int32_t>(words.special_tokens().size()) + 256;
  if (options.vocabulary_size < least || options.vocabulary_size > max_token_id) {
    fail_usage(
        fmt::format("a byte-level BPE vocabulary of {} is not possible: expected {} (256 bytes and {} special "
                    "tokens) to {}",
                    options.vocabulary_size, least, least - 256, max_token_id));
  }
  const std::vector<WordCounter::Count> counts = words.counts();
  if (counts.empty()) fail("there is no text to train a tokenizer on: every document was empty");

  Vocabulary vocabulary(words.special_tokens());
  PairCounter pairs(counts, vocabulary.byte_ids);
  PairQueue queue(options.tie, vocabulary.bytes);
  pairs.for_each([&](uint64_t pair, int64_t count) { queue.push({count, pair}); });
  const int64_t least_count = std::max<int64_t>(options.min_frequency, 1);
  std::vector<uint64_t> raised;
  BpeTrainerProgress progress{vocabulary.size(), options.vocabulary_size, 0};
  while (vocabulary.size() < options.vocabulary_size && !queue.empty()) {
    const PairQueue::Entry top = queue.pop();
    const int64_t count = pairs.count(top.pair);
    if (count != top.count) {
      if (count >= least_count) queue.push({count, top.pair});
      continue;
    }
    if (count < least_count) break;
    const int32_t left = pair_left(top.pair);
    const int32_t right = pair_right(top.pair);
    const int32_t merged =
        vocabulary.add(vocabulary.bytes[static_cast<size_t>(left)] + vocabulary.bytes[static_cast<size_t>(right)]);
    vocabulary.merges.push_back({left, right});
    pairs.merge(top.pair, merged, raised);
    for (const uint64_t pair : raised) queue.push({pairs.count(pair), pair});
    progress.pair_count = count;
    progress.vocabulary = vocabulary.size();
    if (options.progress && vocabulary.merges.size() % merges_between_reports == 0) options.progress(progress);
  }
  if (options.progress) options.progress(progress);
  return finish(std::move(vocabulary), words);
}

}  // namespace sesame
