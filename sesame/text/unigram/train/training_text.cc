#include "sesame/text/unigram/train/training_text.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame::unigram {
namespace {

constexpr uint32_t kCodePoints = 0x110000;

void for_each_code(std::string_view text, FunctionRef<void(uint32_t code)> f) {
  for (size_t i = 0; i < text.size();) {
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

}  // namespace

std::vector<CharacterCount> required_characters(WordCounts& words, std::string_view required_chars, float coverage) {
  std::vector<uint64_t> counts(kCodePoints);
  uint64_t total = 0;
  words.for_each([&](std::string_view word, uint32_t, uint64_t count) {
    for_each_code(word, [&](uint32_t code) {
      if (code == 0) return;
      counts[code] += count;
      total += count;
    });
  });
  std::vector<bool> required(kCodePoints);
  for_each_code(required_chars, [&](uint32_t code) { required[code] = code != 0; });

  std::vector<Candidate> candidates;
  for (uint32_t code = 1; code < kCodePoints; ++code)
    if (required[code] || counts[code] > 0) candidates.push_back({required[code], counts[code], code});
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    if (a.required != b.required) return a.required;
    return a.count != b.count ? a.count > b.count : a.code < b.code;
  });
  std::vector<CharacterCount> result;
  uint64_t covered = 0;
  for (const Candidate& candidate : candidates) {
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

TrainingText make_training_text(WordCounts& words, const std::vector<CharacterCount>& required) {
  TrainingText text;
  text.codes = {WordCounts::kEnd, kSpace, kUnknown};  // ▁ may follow a word even where it is too rare to be required
  for (const CharacterCount& character : required) text.codes.push_back(character.code);
  std::sort(text.codes.begin(), text.codes.end());
  text.codes.erase(std::unique(text.codes.begin(), text.codes.end()), text.codes.end());
  text.code_counts.resize(text.codes.size());

  const auto rank = [&](uint32_t code) {
    return static_cast<uint32_t>(std::lower_bound(text.codes.begin(), text.codes.end(), code) - text.codes.begin());
  };
  text.unknown = rank(kUnknown);
  std::vector<uint32_t> rank_of(kCodePoints, text.unknown);
  for (const CharacterCount& character : required) rank_of[character.code] = rank(character.code);

  words.for_each([&](std::string_view word, uint32_t next, uint64_t count) {
    const size_t begin = text.letters.size();
    for_each_code(word, [&](uint32_t code) {
      const uint32_t letter = rank_of[code];
      text.letters.push_back(letter);
      text.code_counts[letter] += count;
    });
    const size_t length = text.letters.size() - begin;
    text.letters.push_back(next == WordCounts::kEnd ? 0 : next == kSpace ? rank(kSpace) : rank_of[next]);
    if (text.letters.size() > std::numeric_limits<uint32_t>::max()) {
      fail("the distinct words have more than 4294967295 characters in all: train on a sample of the sentences");
    }
    text.entries.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(length), count});
    if (!text.words.empty()) {
      TrainingText::Word& last = text.words.back();
      const auto first = text.letters.begin();
      if (std::equal(first + last.begin, first + last.begin + last.length, first + static_cast<int64_t>(begin),
                     first + static_cast<int64_t>(begin + length))) {
        last.count += count;
        return;
      }
    }
    text.words.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(length), count});
  });
  return text;
}

}  // namespace sesame::unigram
