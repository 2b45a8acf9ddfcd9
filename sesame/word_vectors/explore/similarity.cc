#include "sesame/word_vectors/explore/similarity.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/word_vectors/explore/text_lines.h"

namespace sesame {
namespace {

std::optional<double> parse_number(std::string_view text) {
  text = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::vector<std::string_view> fields_of(std::string_view line) {
  for (const std::string_view separator : {"\t", ";", ","}) {
    std::vector<std::string_view> fields = split_fields(line, separator);
    if (fields.size() >= 3) return fields;
  }
  return split_fields(line, " \t");
}

/// The vector of a word of the vocabulary in either case, or (subwords) of its n-grams.
std::optional<std::vector<float>> vector_in_any_case(const WordVectors& vectors, const std::string& word,
                                                     bool subwords) {
  const int32_t id = find_in_any_case(vectors.vocabulary, word);
  if (id >= 0) return std::vector<float>(vectors.row(id).begin(), vectors.row(id).end());
  return subwords ? vectors.vector_of(word) : std::nullopt;
}

}  // namespace

std::optional<ScoredPair> parse_scored_pair(std::string_view line) {
  const std::vector<std::string_view> fields = fields_of(line);
  for (size_t i = 2; i < fields.size(); ++i) {
    if (const std::optional<double> score = parse_number(fields[i])) {
      ScoredPair pair{std::string(trimmed(fields[0])), std::string(trimmed(fields[1])), *score};
      if (pair.first.empty() || pair.second.empty()) return std::nullopt;
      return pair;
    }
  }
  return std::nullopt;
}

std::vector<ScoredPair> parse_scored_pairs(std::string_view text, const std::string& origin) {
  std::vector<ScoredPair> pairs;
  bool first = true;
  for_each_line(text, [&](std::string_view line, int64_t number) {
    if (line.empty() || line.front() == '#') return;
    std::optional<ScoredPair> pair = parse_scored_pair(line);
    if (!pair && !first) fail(fmt::format("{}:{}: two words and a number expected", origin, number));
    first = false;
    if (pair) pairs.push_back(std::move(*pair));
  });
  if (pairs.empty()) fail(fmt::format("{}: no line of two words and a number in it", origin));
  return pairs;
}

std::vector<double> average_ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + 1 + end) / 2;  // the mean of begin + 1 ... end
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

double pearson_correlation(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size()) fail(fmt::format("correlation: {} values against {}", x.size(), y.size()));
  if (x.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const auto n = static_cast<double>(x.size());
  const double mean_x = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double mean_y = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean_x) * (y[i] - mean_y);
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : std::numeric_limits<double>::quiet_NaN();
}

double spearman_correlation(std::span<const double> x, std::span<const double> y) {
  return pearson_correlation(average_ranks(x), average_ranks(y));
}

int32_t find_in_any_case(const Vocabulary& vocabulary, std::string_view word) {
  const int32_t id = vocabulary.find(word);
  return id >= 0 ? id : vocabulary.find(lowercase_unicode(word));
}

double cosine_similarity(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t d = 0; d < a.size(); ++d) {
    const double x = static_cast<double>(a[d]), y = static_cast<double>(b[d]);
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0 && bb > 0 ? ab / (std::sqrt(aa) * std::sqrt(bb)) : 0;
}

SimilarityResult evaluate_similarity(const WordVectors& vectors, std::span<const ScoredPair> pairs, bool subwords) {
  std::vector<double> people, cosines;
  std::set<std::string> unknown;
  for (const ScoredPair& pair : pairs) {
    const auto first = vector_in_any_case(vectors, pair.first, subwords);
    const auto second = vector_in_any_case(vectors, pair.second, subwords);
    if (!first) unknown.insert(pair.first);
    if (!second) unknown.insert(pair.second);
    if (!first || !second) continue;
    people.push_back(pair.score);
    cosines.push_back(cosine_similarity(*first, *second));
  }
  SimilarityResult result;
  result.pairs = static_cast<int64_t>(pairs.size());
  result.covered = static_cast<int64_t>(people.size());
  result.spearman = spearman_correlation(people, cosines);
  result.pearson = pearson_correlation(people, cosines);
  result.unknown_words.assign(unknown.begin(), unknown.end());
  return result;
}

}  // namespace sesame
