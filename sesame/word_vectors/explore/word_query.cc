#include "sesame/word_vectors/explore/word_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/word_vectors/explore/text_lines.h"

namespace sesame {
namespace {

std::u32string characters_of(std::string_view text) {
  std::u32string characters;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    characters.push_back(static_cast<char32_t>(c.code));
    at += c.length;
  }
  return characters;
}

/// Optimal string alignment distance of two words, or any number above `most` where it exceeds that.
class EditDistance {
 public:
  explicit EditDistance(std::u32string word)
      : word_(std::move(word)), rows_(3, std::vector<size_t>(word_.size() + 1)) {}

  size_t operator()(const std::u32string& other, size_t most) {
    for (size_t j = 0; j <= word_.size(); ++j) rows_[0][j] = j;
    for (size_t i = 1; i <= other.size(); ++i) {
      std::vector<size_t>& row = rows_[i % 3];
      const std::vector<size_t>& above = rows_[(i - 1) % 3];
      const std::vector<size_t>& two_above = rows_[(i + 1) % 3];
      row[0] = i;
      for (size_t j = 1; j <= word_.size(); ++j) {
        const bool same = other[i - 1] == word_[j - 1];
        row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
        const bool swapped = i > 1 && j > 1 && other[i - 1] == word_[j - 2] && other[i - 2] == word_[j - 1];
        if (swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
      }
      if (*std::min_element(row.begin(), row.end()) > most) return most + 1;
    }
    return rows_[other.size() % 3][word_.size()];
  }

 private:
  std::u32string word_;
  std::vector<std::vector<size_t>> rows_;
};

}  // namespace

WordQuery parse_word_query(std::string_view line) {
  WordQuery query;
  bool negative = false, after_sign = false;
  for (const std::string_view token : split_fields(line, " \t\r\n")) {
    if (token == "+" || token == "-") {
      if (after_sign) fail_usage(fmt::format("\"{}\": two signs with no word between them", line));
      negative = token == "-";
      after_sign = true;
      continue;
    }
    (negative ? query.negative : query.positive).emplace_back(token);
    negative = after_sign = false;
  }
  if (after_sign) fail_usage(fmt::format("\"{}\": a word is missing behind the last sign", line));
  if (query.positive.empty() && query.negative.empty())
    fail_usage("a word, or a sum such as king - man + woman, is missing");
  return query;
}

std::vector<std::string> near_spellings(const Vocabulary& vocabulary, std::string_view word, size_t count) {
  const std::u32string wanted = characters_of(lowercase_unicode(word));
  const size_t most = std::max<size_t>(1, wanted.size() / 3);
  constexpr size_t kLongest = 100;  // longer ones are no typing errors of anything
  if (wanted.empty() || wanted.size() > kLongest) return {};
  EditDistance distance(wanted);
  struct Found {
    size_t distance;
    int32_t id;
  };
  std::vector<Found> found;
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string_view candidate = vocabulary.word(id);
    // A character has one to four bytes.
    if (candidate.size() + most < wanted.size() || candidate.size() > 4 * (wanted.size() + most)) continue;
    const size_t d = distance(characters_of(lowercase_unicode(candidate)), most);
    if (d <= most) found.push_back({d, id});
  }
  count = std::min(count, found.size());
  std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.distance < b.distance; });
  std::vector<std::string> words;
  for (size_t i = 0; i < count; ++i) words.emplace_back(vocabulary.word(found[i].id));
  return words;
}

std::vector<float> require_vector(const WordVectors& vectors, std::string_view word) {
  if (std::optional<std::vector<float>> vector = vectors.vector_of(word)) return std::move(*vector);
  const std::vector<std::string> near = near_spellings(vectors.vocabulary, word);
  fail(fmt::format("\"{}\" is not among the {} words{}", word, vectors.size(),
                   near.empty() ? "" : fmt::format(" (did you mean {}?)", fmt::join(near, ", "))));
}

AnalogyTerms resolve(const WordVectors& vectors, const WordQuery& query) {
  AnalogyTerms terms;
  const auto add = [&](const std::string& word, std::vector<std::vector<float>>& to) {
    to.push_back(require_vector(vectors, word));
    const int32_t id = vectors.vocabulary.find(word);
    if (id >= 0) terms.excluded.push_back(id);
  };
  for (const std::string& word : query.positive) add(word, terms.positive);
  for (const std::string& word : query.negative) add(word, terms.negative);
  return terms;
}

}  // namespace sesame
