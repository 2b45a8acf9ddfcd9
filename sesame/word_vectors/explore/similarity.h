#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

/// Two words and how alike people found them.
struct ScoredPair {
  std::string first;
  std::string second;
  double score = 0;
};

/// Lines of two words and a score between tabs, semicolons, commas or white space, whichever a line has first in this
/// order: WordSim-353, SimLex-999, MEN, RG-65 and their like. The score is the first number from the third field on;
/// other fields are left out. A first line without a score is a header; empty lines and lines that begin with # are
/// left out. `origin` is what an Error calls the text when it names the line that has another form.
std::vector<ScoredPair> parse_scored_pairs(std::string_view text, const std::string& origin);

/// A line of such a file; nothing where it has another form.
std::optional<ScoredPair> parse_scored_pair(std::string_view line);

/// Ranks from 1 for the smallest; equal values share the mean of their ranks.
std::vector<double> average_ranks(std::span<const double> values);

/// Pearson's correlation coefficient; NaN for less than two values, or where all of one side are equal.
double pearson_correlation(std::span<const double> x, std::span<const double> y);

/// Spearman's rank correlation: Pearson's of the average ranks, which is right with ties too.
double spearman_correlation(std::span<const double> x, std::span<const double> y);

/// A word's id as it is spelt, else in lower case, else -1.
int32_t find_in_any_case(const Vocabulary& vocabulary, std::string_view word);

/// The cosine of two vectors; 0 where one is all zeros.
double cosine_similarity(std::span<const float> a, std::span<const float> b);

struct SimilarityResult {
  double spearman = 0;  // NaN where too few pairs are covered
  double pearson = 0;
  int64_t pairs = 0;
  int64_t covered = 0;                     // pairs of which both words have vectors; the others are left out
  std::vector<std::string> unknown_words;  // sorted
};

/// Holds cosines against people's scores. `subwords`: words outside the vocabulary by their n-grams, where the model
/// has them.
SimilarityResult evaluate_similarity(const WordVectors& vectors, std::span<const ScoredPair> pairs,
                                     bool subwords = false);

}  // namespace sesame
