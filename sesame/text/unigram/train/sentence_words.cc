#include "sesame/text/unigram/train/sentence_words.h"

#include <algorithm>
#include <utility>

#include "sesame/text/unicode/unicode.h"

namespace sesame::unigram {
namespace {

constexpr std::string_view kSpaceMark = "\xE2\x96\x81";
constexpr size_t kBatchBytes = size_t{8} << 20;
constexpr size_t kShareBytes = size_t{64} << 10;

/// The last byte of a key says what follows the word; a leading ▁, which most words have, is left out.
enum KeyTag : char { tag_end = 0, tag_space = 1, tag_character = 2, tag_led_by_space = 4 };

void make_key(std::string_view word, std::string_view rest, std::string& key) {
  char tag = tag_end;
  if (word.starts_with(kSpaceMark)) {
    tag = tag_led_by_space;
    word.remove_prefix(kSpaceMark.size());
  }
  key.assign(word);
  if (rest.starts_with(kSpaceMark)) {
    tag |= tag_space;
  } else if (!rest.empty()) {
    tag |= tag_character;
    key += rest.substr(0, decode_utf8(rest, 0).length);
  }
  key += tag;
}

/// Of what make_key made; `word` holds the result.
uint32_t read_key(std::string_view key, std::string& word) {
  const char tag = key.back();
  key.remove_suffix(1);
  uint32_t next = SentenceWords::kEnd;
  if ((tag & tag_space) != 0) next = 0x2581;
  if ((tag & tag_character) != 0) {
    size_t begin = key.size() - 1;
    while ((static_cast<uint8_t>(key[begin]) & 0xC0) == 0x80) --begin;
    next = decode_utf8(key, begin).code;
    key = key.substr(0, begin);
  }
  word.clear();
  if ((tag & tag_led_by_space) != 0) word = kSpaceMark;
  word += key;
  return next;
}

}  // namespace

void for_each_word(std::string_view sentence, const WordRules& rules,
                   FunctionRef<void(std::string_view word, std::string_view rest)> f) {
  if (sentence.empty()) return;
  size_t begin = 0;
  const auto cut = [&](size_t end) {
    f(sentence.substr(begin, end - begin), sentence.substr(end));
    begin = end;
  };
  if (rules.split_by_whitespace) {
    const size_t size = kSpaceMark.size();
    for (size_t mark = sentence.find(kSpaceMark); mark != std::string_view::npos;
         mark = sentence.find(kSpaceMark, mark + size)) {
      const size_t end = rules.treat_whitespace_as_suffix ? mark + size : mark;
      if (end == 0 || end == sentence.size()) continue;
      // Where white space alone may be a piece, a run of it stays together.
      if (rules.allow_whitespace_only_pieces) {
        const bool run_goes_on = rules.treat_whitespace_as_suffix ? sentence.substr(end).starts_with(kSpaceMark)
                                                                  : sentence.substr(0, end).ends_with(kSpaceMark);
        if (run_goes_on) continue;
      }
      cut(end);
    }
  }
  cut(sentence.size());
}

ReservedStrings::ReservedStrings(std::vector<std::string> strings) : strings_(std::move(strings)) {
  std::erase_if(strings_, [](const std::string& s) { return s.empty(); });
  std::sort(strings_.begin(), strings_.end(), [](const std::string& a, const std::string& b) {
    const auto first_a = static_cast<uint8_t>(a[0]);
    const auto first_b = static_cast<uint8_t>(b[0]);
    return first_a != first_b ? first_a < first_b : a.size() > b.size();
  });
  for (uint32_t i = 0; i < strings_.size(); ++i) {
    auto& range = of_[static_cast<uint8_t>(strings_[i][0])];
    if (range.second == 0) range.first = i;
    range.second = i + 1;
  }
}

size_t ReservedStrings::match(std::string_view text) const {
  const auto [begin, end] = of_[static_cast<uint8_t>(text[0])];
  for (uint32_t i = begin; i < end; ++i)
    if (text.starts_with(strings_[i])) return strings_[i].size();
  return 0;
}

std::string_view ReservedStrings::replace(std::string_view text, std::string& buffer) const {
  size_t copied = 0;
  buffer.clear();
  for (size_t i = 0; i < text.size();) {
    const size_t size = of_[static_cast<uint8_t>(text[i])].second == 0 ? 0 : match(text.substr(i));
    if (size == 0) {
      ++i;
      continue;
    }
    buffer += text.substr(copied, i - copied);
    buffer += '\t';
    i += size;
    copied = i;
  }
  if (copied == 0) return text;
  buffer += text.substr(copied);
  return buffer;
}

SentenceWords::SentenceWords(Options options, ThreadPool& threads)
    : options_(std::move(options)),
      reserved_(options_.reserved),
      threads_(threads),
      counts_(threads.threads(), options_.memory_bytes, options_.directory),
      scratch_(static_cast<size_t>(threads.threads())) {}

void SentenceWords::add(std::string_view sentence) {
  batch_ += sentence;
  ends_.push_back(static_cast<uint32_t>(batch_.size()));
  ++sentences_;
  if (batch_.size() >= kBatchBytes) count_batch();
}

void SentenceWords::count(std::string_view sentence, int thread) {
  Scratch& scratch = scratch_[static_cast<size_t>(thread)];
  const std::string_view normalized = options_.normalize(sentence, scratch.normalized);
  const std::string_view text = reserved_.replace(normalized, scratch.replaced);
  for_each_word(text, options_.rules, [&](std::string_view word, std::string_view rest) {
    make_key(word, rest, scratch.key);
    counts_.add(thread, WordKey::of(scratch.key));
  });
}

void SentenceWords::count_batch() {
  std::vector<size_t> shares;  // first sentence of each
  size_t begin = 0;
  for (size_t i = 0; i < ends_.size(); ++i) {
    if (shares.empty() || begin + kShareBytes <= ends_[i]) {
      shares.push_back(i);
      begin = ends_[i];
    }
  }
  shares.push_back(ends_.size());
  threads_.run(static_cast<int64_t>(shares.size()) - 1, [&](int64_t share, int thread) {
    const auto s = static_cast<size_t>(share);
    for (size_t i = shares[s]; i < shares[s + 1]; ++i) {
      const uint32_t first = i == 0 ? 0 : ends_[i - 1];
      count(std::string_view(batch_).substr(first, ends_[i] - first), thread);
    }
  });
  batch_.clear();
  ends_.clear();
}

void SentenceWords::for_each(FunctionRef<void(std::string_view word, uint32_t next, uint64_t count)> emit) {
  if (!ends_.empty()) count_batch();
  std::string word;
  counts_.for_each_sorted(threads_, [&](std::string_view key, uint64_t count) {
    const uint32_t next = read_key(key, word);
    emit(word, next, count);
  });
}

}  // namespace sesame::unigram
