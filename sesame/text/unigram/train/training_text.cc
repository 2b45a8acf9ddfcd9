#include "sesame/text/unigram/train/training_text.h"

#include <algorithm>
#include <limits>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame::unigram {
namespace {

constexpr uint32_t kCodePoints = 0x110000;

template <typename F>
void for_each_code(std::string_view text, F&& f) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<uint8_t>(text[i]);
    if (byte < 0x80) {
      f(uint32_t{byte});
      ++i;
      continue;
    }
    const Utf8Char c = decode_utf8(text, i);
    f(c.code);
    i += c.length;
  }
}

struct Candidate {
  bool required = false;
  uint64_t count = 0;
  uint32_t code = 0;
};

/// Letters are still code points.
void read_words(SentenceWords& words, TrainingText& text, std::vector<uint64_t>& code_counts) {
  words.for_each([&](std::string_view word, uint32_t next, uint64_t count) {
    const size_t begin = text.letters.size();
    for_each_code(word, [&](uint32_t code) {
      text.letters.push_back(code);
      code_counts[code] += count;
    });
    const size_t length = text.letters.size() - begin;
    text.letters.push_back(next);
    if (text.letters.size() > std::numeric_limits<uint32_t>::max()) {
      fail("the distinct words have more than 4294967295 characters in all: train on a sample of the sentences");
    }
    text.entries.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(length), count});
  });
}

void rank_letters(TrainingText& text, const std::vector<uint64_t>& code_counts) {
  text.codes = {SentenceWords::kEnd, kSpace, kUnknown};  // ▁ may follow a word even where it is not required
  for (const CharacterCount& character : text.required) text.codes.push_back(character.code);
  std::sort(text.codes.begin(), text.codes.end());
  text.codes.erase(std::unique(text.codes.begin(), text.codes.end()), text.codes.end());
  const auto rank = [&](uint32_t code) {
    return static_cast<uint32_t>(std::lower_bound(text.codes.begin(), text.codes.end(), code) - text.codes.begin());
  };
  text.unknown = rank(kUnknown);
  text.code_counts.resize(text.codes.size());
  std::vector<uint32_t> rank_of(kCodePoints, text.unknown);
  for (const CharacterCount& character : text.required) {
    const uint32_t letter = rank(character.code);
    rank_of[character.code] = letter;
    text.code_counts[letter] = code_counts[character.code];
  }
  for (const TrainingText::Entry& entry : text.entries) {
    uint32_t* const letters = text.letters.data() + entry.begin;
    uint32_t& next = letters[entry.length];
    next = next == SentenceWords::kEnd ? 0 : next == kSpace ? rank(kSpace) : rank_of[next];
    for (uint32_t i = 0; i < entry.length; ++i) letters[i] = rank_of[letters[i]];
  }
}

void join_entries(TrainingText& text) {
  const uint32_t* const letters = text.letters.data();
  for (const TrainingText::Entry& entry : text.entries) {
    const uint32_t* const begin = letters + entry.begin;
    if (!text.words.empty()) {
      TrainingText::Word& last = text.words.back();
      const uint32_t* const last_begin = letters + last.begin;
      if (std::equal(begin, begin + entry.length, last_begin, last_begin + last.length)) {
        last.count += entry.count;
        continue;
      }
    }
    text.words.push_back({entry.begin, entry.length, entry.count});
  }
}

}  // namespace

std::vector<CharacterCount> required_characters(const std::vector<uint64_t>& counts, std::string_view required_chars,
                                                float coverage) {
  std::vector<bool> required(kCodePoints);
  for_each_code(required_chars, [&](uint32_t code) { required[code] = code != 0; });
  std::vector<Candidate> candidates;
  uint64_t total = 0;
  for (uint32_t code = 1; code < kCodePoints; ++code) {
    total += counts[code];
    if (required[code] || counts[code] > 0) candidates.push_back({required[code], counts[code], code});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.required != b.required) return a.required;
    return a.count != b.count ? a.count > b.count : a.code < b.code;
  });
  std::vector<CharacterCount> result;
  uint64_t covered = 0;
  for (const Candidate& candidate : candidates) {
    // In single precision, as SentencePiece decides.
    if (static_cast<float>(static_cast<double>(covered) / static_cast<double>(total)) >= coverage) break;
    covered += candidate.count;
    if (candidate.code != kTab && candidate.code != kUnknown) result.push_back({candidate.code, candidate.count});
  }
  std::sort(result.begin(), result.end(), [](const CharacterCount& a, const CharacterCount& b) {
    return a.count != b.count ? a.count > b.count : a.code < b.code;
  });
  return result;
}

std::string TrainingText::string_of(uint32_t begin, uint32_t length) const {
  std::string out;
  for (uint32_t i = begin; i < begin + length; ++i) append_utf8(codes[letters[i]], out);
  return out;
}

TrainingText make_training_text(SentenceWords& words, std::string_view required_chars, float coverage) {
  TrainingText text;
  std::vector<uint64_t> code_counts(kCodePoints);
  read_words(words, text, code_counts);
  text.required = required_characters(code_counts, required_chars, coverage);
  rank_letters(text, code_counts);
  join_entries(text);
  return text;
}

}  // namespace sesame::unigram
