#include "sesame/text/words/word_counter.h"

#include <algorithm>
#include <utility>

#include "sesame/base/thread_pool.h"
#include "sesame/text/pipeline/added_tokens.h"
#include "sesame/text/words/word_table.h"

namespace sesame {
namespace {

constexpr size_t batch_bytes = 8 << 20;
constexpr size_t share_bytes = 256 << 10;  // what one thread takes at a time

/// The pieces of `text` that start in [begin, end).
struct Range {
  std::string_view text;
  size_t begin;
  size_t end;
};

AddedTokenFinder finder_of(const std::vector<std::string>& special_tokens) {
  std::vector<std::pair<std::string, AddedToken>> tokens;
  for (const std::string& content : special_tokens) {
    AddedToken token;
    token.content = content;
    token.special = true;
    tokens.emplace_back(content, token);
  }
  return AddedTokenFinder(std::move(tokens));
}

}  // namespace

struct WordCounter::State {
  State(SplitPattern split_pattern, std::vector<std::string> specials, int threads)
      : pattern(split_pattern),
        special_tokens(std::move(specials)),
        finder(finder_of(special_tokens)),
        pool(threads),
        tables(static_cast<size_t>(pool.threads())) {}

  void add_ranges(std::string_view document) {
    finder.split(document, finder.seek(true, {}), [&](std::string_view stretch, const AddedToken* token) {
      if (token != nullptr) return;
      for (size_t begin = 0; begin < stretch.size();) {
        const size_t end =
            begin + share_bytes >= stretch.size() ? stretch.size() : safe_cut(stretch, begin + share_bytes);
        ranges.push_back({stretch, begin, end});
        begin = end;
      }
    });
  }

  void count_ranges() {
    // Shares of many small ranges, so that short documents cost no more than long ones.
    std::vector<size_t> shares;
    size_t taken = share_bytes;
    for (size_t i = 0; i < ranges.size(); ++i) {
      if (taken >= share_bytes) {
        shares.push_back(i);
        taken = 0;
      }
      taken += ranges[i].end - ranges[i].begin;
    }
    shares.push_back(ranges.size());
    pool.run(static_cast<int64_t>(shares.size()) - 1, [&](int64_t share, int thread) {
      WordTable& table = tables[static_cast<size_t>(thread)];
      const auto first = static_cast<size_t>(share);
      for (size_t i = shares[first]; i < shares[first + 1]; ++i) {
        split(pattern, ranges[i].text, ranges[i].begin, ranges[i].end,
              [&](std::string_view word) { table.add(word, 1); });
      }
    });
    ranges.clear();
  }

  void flush() {
    size_t begin = 0;
    for (const size_t end : document_ends) {
      add_ranges(std::string_view(batch).substr(begin, end - begin));
      begin = end;
    }
    count_ranges();
    batch.clear();
    document_ends.clear();
  }

  SplitPattern pattern;
  std::vector<std::string> special_tokens;
  AddedTokenFinder finder;
  ThreadPool pool;
  std::vector<WordTable> tables;  // by thread
  std::string batch;              // short documents, one after another
  std::vector<size_t> document_ends;
  std::vector<Range> ranges;
  uint64_t bytes = 0;
};

WordCounter::WordCounter(SplitPattern pattern, std::vector<std::string> special_tokens, int threads)
    : state_(std::make_unique<State>(pattern, std::move(special_tokens), threads)) {}

WordCounter::~WordCounter() = default;
WordCounter::WordCounter(WordCounter&&) noexcept = default;
WordCounter& WordCounter::operator=(WordCounter&&) noexcept = default;

void WordCounter::add(std::string_view document) {
  State& s = *state_;
  s.bytes += document.size();
  if (document.size() >= batch_bytes) {
    s.add_ranges(document);
    s.count_ranges();
    return;
  }
  s.batch += document;
  s.document_ends.push_back(s.batch.size());
  if (s.batch.size() >= batch_bytes) s.flush();
}

std::vector<WordCounter::Count> WordCounter::counts() const {
  State& s = *state_;
  s.flush();
  for (size_t t = 1; t < s.tables.size(); ++t) {
    for (const WordTable::Entry& entry : s.tables[t].entries()) {
      if (entry.data != nullptr) s.tables[0].add(entry.word(), entry.count);
    }
    s.tables[t] = WordTable();
  }
  std::vector<Count> counts;
  counts.reserve(s.tables[0].size());
  for (const WordTable::Entry& entry : s.tables[0].entries()) {
    if (entry.data != nullptr) counts.push_back({entry.word(), entry.count});
  }
  std::sort(counts.begin(), counts.end(), [](const Count& a, const Count& b) { return a.word < b.word; });
  return counts;
}

uint64_t WordCounter::bytes() const noexcept { return state_->bytes; }
SplitPattern WordCounter::pattern() const noexcept { return state_->pattern; }
const std::vector<std::string>& WordCounter::special_tokens() const noexcept { return state_->special_tokens; }

}  // namespace sesame
