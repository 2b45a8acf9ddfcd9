#include "sesame/text/report/vocabulary_statistics.h"

#include <algorithm>
#include <map>

#include "sesame/text/report/script_of_text.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

constexpr size_t kLengths = 17;
constexpr size_t kLongest = 10;

/// Begins a word in the way of the tokenizer's model.
bool starts_word(const Tokenizer& tokenizer, int32_t id) {
  if (const auto* pieces = std::get_if<model::WordPiece>(&tokenizer.spec().model)) {
    return !tokenizer.token(id).starts_with(pieces->continuing_subword_prefix);
  }
  const std::string_view bytes = tokenizer.token_bytes(id);
  return bytes.starts_with(' ') || bytes.starts_with("\xE2\x96\x81");
}

}  // namespace

VocabularyStatistics vocabulary_statistics(const Tokenizer& tokenizer) {
  VocabularyStatistics s;
  s.ids = tokenizer.vocabulary_size();
  s.added = static_cast<int32_t>(tokenizer.spec().added_tokens.size());
  s.by_length.resize(kLengths);
  std::map<std::string, int32_t> scripts;
  std::vector<std::pair<size_t, int32_t>> lengths;
  uint64_t bytes_of_all = 0;
  for (int32_t id = 0; id < s.ids; ++id) {
    if (!tokenizer.contains(id)) continue;
    ++s.tokens;
    if (tokenizer.is_special(id)) {
      ++s.special;
      continue;
    }
    const std::string_view bytes = tokenizer.token_bytes(id);
    bytes_of_all += bytes.size();
    ++s.by_length[std::min(bytes.size(), kLengths - 1)];
    lengths.emplace_back(bytes.size(), id);
    if (find_invalid_utf8(bytes) != bytes.size()) {
      ++s.not_text;
      continue;
    }
    s.word_starts += starts_word(tokenizer, id) ? 1 : 0;
    ++scripts[script_of_text(bytes)];
  }
  if (!lengths.empty()) s.mean_bytes = static_cast<double>(bytes_of_all) / static_cast<double>(lengths.size());
  s.by_script.assign(scripts.begin(), scripts.end());
  std::stable_sort(s.by_script.begin(), s.by_script.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const size_t shown = std::min(kLongest, lengths.size());
  std::partial_sort(
      lengths.begin(), lengths.begin() + static_cast<ptrdiff_t>(shown), lengths.end(),
      [](const auto& a, const auto& b) { return std::pair(b.first, a.second) < std::pair(a.first, b.second); });
  for (size_t i = 0; i < shown; ++i) s.longest.push_back(lengths[i].second);
  return s;
}

}  // namespace sesame
