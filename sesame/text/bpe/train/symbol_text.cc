#include "sesame/text/bpe/train/symbol_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr size_t words_of_share = 4096;

/// Counts add up to at most the bytes of the corpus; this keeps sums exact for any corpus there is.
int64_t bounded(uint64_t count) { return static_cast<int64_t>(std::min(count, uint64_t{1} << 62)); }

/// The places of words by falling counts, equal ones as they come.
std::vector<uint32_t> order_by_count(std::span<const WordCount> words) {
  constexpr uint64_t small = 1024;  // counts below are sorted by counting
  std::vector<uint32_t> order(words.size());
  std::vector<size_t> ends(small + 1);
  for (const WordCount& word : words) ++ends[small - std::min(word.count, small)];
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  for (size_t i = words.size(); i-- > 0;) {
    order[--ends[small - std::min(words[i].count, small)]] = static_cast<uint32_t>(i);
  }
  std::stable_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(ends[1]),
                   [&](uint32_t a, uint32_t b) { return words[a].count > words[b].count; });
  return order;
}

}  // namespace

SymbolText::SymbolText(std::span<const WordCount> words, Symbolize symbolize, bool by_count, ThreadPool& threads) {
  if (words.size() >= std::numeric_limits<uint32_t>::max()) {
    fail(fmt::format("{} distinct words are too many for a trainer: drop the rare ones", words.size()));
  }
  std::vector<uint32_t> order;
  if (by_count) {
    order = order_by_count(words);
  } else {
    order.resize(words.size());
    std::iota(order.begin(), order.end(), 0);
  }
  const auto shares = static_cast<int64_t>((words.size() + words_of_share - 1) / words_of_share);
  const auto for_each_word = [&](auto&& f) {
    threads.run(shares, [&](int64_t share, int) {
      std::vector<uint32_t> symbols;
      const size_t first = static_cast<size_t>(share) * words_of_share;
      for (size_t i = first; i < std::min(first + words_of_share, order.size()); ++i) {
        const std::string_view word = words[order[i]].word;
        if (symbols.size() < word.size()) symbols.resize(word.size() * 2);
        f(i, std::span(symbols).first(symbolize(word, symbols.data())));
      }
    });
  };
  std::vector<uint32_t> sizes(words.size());
  for_each_word([&](size_t i, std::span<const uint32_t> symbols) {
    sizes[i] = symbols.size() < 2 ? 0 : static_cast<uint32_t>(symbols.size() + 1);
  });
  uint64_t total = 1;
  for (uint32_t& size : sizes) {
    const uint64_t begin = total;
    total += std::exchange(size, static_cast<uint32_t>(begin));
  }
  if (total >= end - block) {
    fail(fmt::format("the distinct words have {} symbols together, a trainer takes 2^32: drop the rare words", total));
  }
  size_ = static_cast<uint32_t>(total);
  memory_ = HugeBuffer((total + 1) * sizeof(uint32_t));
  slots_ = memory_.as<uint32_t>().data();
  slots_[0] = end;
  for_each_word([&](size_t i, std::span<const uint32_t> symbols) {
    if (symbols.size() < 2) return;
    *std::copy(symbols.begin(), symbols.end(), slots_ + sizes[i]) = end;
  });
  slots_[size_] = end;
  index_counts(words, order, sizes);
}

void SymbolText::index_counts(std::span<const WordCount> words, std::span<const uint32_t> order,
                              std::span<const uint32_t> begins) {
  run_begins_.push_back(0);
  run_counts_.push_back(order.empty() ? 0 : bounded(words[order[0]].count));
  for (size_t i = 1; i < order.size(); ++i) {
    const int64_t count = bounded(words[order[i]].count);
    if (count == run_counts_.back()) continue;
    if (begins[i] == run_begins_.back()) {
      run_counts_.back() = count;
      continue;
    }
    run_begins_.push_back(begins[i]);
    run_counts_.push_back(count);
  }
  run_begins_.push_back(end);
  runs_of_blocks_.resize(size_ / block + 1);
  uint32_t run = 0;
  for (size_t i = 0; i < runs_of_blocks_.size(); ++i) {
    while (run_begins_[run + 1] <= i * block) ++run;
    runs_of_blocks_[i] = run;
  }
}

uint64_t SymbolText::occurrences() const noexcept {
  uint64_t sum = 0;
  for (size_t run = 0; run < run_counts_.size(); ++run) {
    const uint64_t slots = std::min(run_begins_[run + 1], size_) - run_begins_[run];
    const auto count = static_cast<uint64_t>(run_counts_[run]);
    sum += slots * std::min(count, uint64_t{1} << 32);
  }
  return sum;
}

uint64_t SymbolText::memory_bytes() const noexcept {
  return memory_.size() + run_begins_.size() * 4 + run_counts_.size() * 8 + runs_of_blocks_.size() * 4;
}

}  // namespace sesame
