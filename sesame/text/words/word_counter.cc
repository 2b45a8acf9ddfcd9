#include "sesame/text/words/word_counter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/pipeline/added_tokens.h"
#include "sesame/text/words/counts_file.h"
#include "sesame/text/words/ordered_counts.h"
#include "sesame/text/words/word_counts.h"

namespace sesame {
namespace {

constexpr size_t batch_bytes = 8 << 20;
constexpr size_t share_bytes = 256 << 10;  // what one thread takes at a time

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

/// The words of `text` that begin before `end`, a place where the text may be cut.
struct Piece {
  std::string_view text;
  size_t end;
};

std::string described(std::string cut_by, const std::vector<std::string>& special_tokens) {
  for (const std::string& token : special_tokens) cut_by += fmt::format("\n{}", token);
  return cut_by;
}

}  // namespace

struct WordCounter::State {
  State(std::shared_ptr<const Splitter> cutter, WordSplit words, std::string by, WordCounterOptions given)
      : splitter(std::move(cutter)),
        split(std::move(words)),
        options(std::move(given)),
        cut_by(described(std::move(by), options.special_tokens)),
        finder(finder_of(options.special_tokens)),
        pool(options.keep_order ? 1 : options.threads),
        sums(pool.threads(), options.memory_bytes, options.temporary_directory) {}

  void add_pieces(std::string_view document);
  void count_pieces();
  void count(const Piece& piece, int thread);
  void count_by_splitter(const Piece& piece, int thread);
  void add(int thread, std::string_view word, uint64_t count);
  void flush();

  std::shared_ptr<const Splitter> splitter;  // or `split`
  WordSplit split;
  SplitPattern pattern = SplitPattern::gpt2;
  WordCounterOptions options;
  std::string cut_by;
  AddedTokenFinder finder;
  ThreadPool pool;
  WordCounts sums;
  OrderedCounts ordered;  // with keep_order
  std::string batch;      // short documents, one after another
  std::vector<size_t> document_ends;
  std::vector<Piece> pieces;
  uint64_t bytes = 0;
  uint64_t documents = 0;
};

void WordCounter::State::add_pieces(std::string_view document) {
  finder.split(document, finder.seek(true, {}), [&](std::string_view stretch, const AddedToken* token) {
    if (token != nullptr) return;
    while (!stretch.empty()) {
      const bool whole = splitter == nullptr || stretch.size() <= share_bytes;
      const size_t end = whole ? stretch.size() : splitter->next_cut(stretch, share_bytes);
      pieces.push_back({stretch, end});
      stretch.remove_prefix(end);
    }
  });
}

void WordCounter::State::count_pieces() {
  // Shares of many small pieces, so that short documents cost no more than long ones.
  std::vector<size_t> shares;
  size_t taken = share_bytes;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (taken >= share_bytes) {
      shares.push_back(i);
      taken = 0;
    }
    taken += pieces[i].end;
  }
  shares.push_back(pieces.size());
  pool.run(static_cast<int64_t>(shares.size()) - 1, [&](int64_t share, int thread) {
    const auto first = static_cast<size_t>(share);
    for (size_t i = shares[first]; i < shares[first + 1]; ++i) count(pieces[i], thread);
  });
  pieces.clear();
}

void WordCounter::State::count(const Piece& piece, int thread) {
  if (splitter != nullptr) return count_by_splitter(piece, thread);
  split(piece.text, [&](std::string_view word) {
    if (!word.empty()) add(thread, word, 1);
  });
}

void WordCounter::State::count_by_splitter(const Piece& piece, int thread) {
  constexpr size_t words_at_once = 512;
  std::array<uint32_t, words_at_once> ends;
  std::array<WordSpan, words_at_once> spans;
  for (size_t begin = 0; begin < piece.end;) {
    const size_t found = splitter->find_ends(piece.text, begin, ends);
    const std::string_view rest = piece.text.substr(begin);
    uint32_t from = 0;
    size_t words = 0;
    for (; words < found && begin + from < piece.end; ++words) {
      spans[words] = {from, ends[words] - from};
      from = ends[words];
      if (options.keep_order) ordered.add(rest.substr(spans[words].begin, spans[words].size), 1);
    }
    if (!options.keep_order) sums.add(thread, rest, std::span(spans).first(words));
    begin += from;
  }
}

void WordCounter::State::add(int thread, std::string_view word, uint64_t count) {
  if (word.size() > UINT32_MAX) fail("a text has a word of 4 GiB that no place splits");
  if (options.keep_order) return ordered.add(word, count);
  sums.add(thread, WordKey::of(word), count);
}

void WordCounter::State::flush() {
  size_t begin = 0;
  for (const size_t end : document_ends) {
    add_pieces(std::string_view(batch).substr(begin, end - begin));
    begin = end;
  }
  count_pieces();
  batch.clear();
  document_ends.clear();
}

WordCounter::WordCounter(SplitPattern pattern, std::vector<std::string> special_tokens, int threads)
    : WordCounter(pattern, WordCounterOptions{.special_tokens = std::move(special_tokens), .threads = threads}) {}

WordCounter::WordCounter(SplitPattern pattern, WordCounterOptions options)
    : WordCounter(Splitter::known(pattern), std::string(split_regex(pattern)), std::move(options)) {
  state_->pattern = pattern;
}

WordCounter::WordCounter(std::shared_ptr<const Splitter> splitter, std::string cut_by, WordCounterOptions options)
    : state_(std::make_unique<State>(std::move(splitter), WordSplit(), std::move(cut_by), std::move(options))) {}

WordCounter::WordCounter(WordSplit split, std::string cut_by, WordCounterOptions options)
    : state_(std::make_unique<State>(nullptr, std::move(split), std::move(cut_by), std::move(options))) {}

WordCounter::~WordCounter() = default;
WordCounter::WordCounter(WordCounter&&) noexcept = default;
WordCounter& WordCounter::operator=(WordCounter&&) noexcept = default;

void WordCounter::add(std::string_view document) {
  State& s = *state_;
  s.bytes += document.size();
  ++s.documents;
  if (document.size() >= batch_bytes) {
    s.flush();
    s.add_pieces(document);
    s.count_pieces();
    return;
  }
  s.batch += document;
  s.document_ends.push_back(s.batch.size());
  if (s.batch.size() >= batch_bytes) s.flush();
}

std::vector<WordCount> WordCounter::unordered_counts() const {
  State& s = *state_;
  s.flush();
  if (s.options.keep_order) return s.ordered.counts();
  return s.sums.merge(0, s.pool).entries;
}

std::vector<WordCount> WordCounter::counts() const {
  std::vector<WordCount> counts = unordered_counts();
  if (!state_->options.keep_order) {
    std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.word < b.word; });
  }
  return counts;
}

void WordCounter::save(const std::filesystem::path& path) const {
  State& s = *state_;
  s.flush();
  write_counts(path, {s.cut_by, s.bytes, s.documents}, [&](EmitCount emit) {
    if (!s.options.keep_order) return s.sums.for_each_sorted(s.pool, emit);
    for (const WordCount& word : s.ordered.counts()) emit(word.word, word.count);
  });
}

void WordCounter::load(const std::filesystem::path& path) {
  State& s = *state_;
  s.flush();
  const auto check = [&](const CountsHeader& header) {
    if (header.cut_by != s.cut_by) {
      fail(fmt::format("{}: the words were cut by \"{}\", expected \"{}\": count the text again", path.string(),
                       header.cut_by, s.cut_by));
    }
    s.bytes += header.bytes;
    s.documents += header.documents;
  };
  read_counts(path, check, [&](std::string_view word, uint64_t count) {
    if (!word.empty()) s.add(0, word, count);
  });
}

uint64_t WordCounter::bytes() const noexcept { return state_->bytes; }
uint64_t WordCounter::documents() const noexcept { return state_->documents; }
SplitPattern WordCounter::pattern() const noexcept { return state_->pattern; }
const std::vector<std::string>& WordCounter::special_tokens() const noexcept { return state_->options.special_tokens; }

}  // namespace sesame
