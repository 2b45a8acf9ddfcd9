#include "sesame/text/unigram/best_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace sesame {
namespace {

size_t one_byte(std::string_view, size_t) { return 1; }

template <typename Sum>
UnigramPieces<Sum> make_pieces(const std::vector<std::pair<std::string, Sum>>& scored, Sum unknown_score,
                               int32_t unknown) {
  std::vector<std::pair<std::string_view, int32_t>> strings;
  std::vector<Sum> scores;
  for (const auto& [text, score] : scored) {
    strings.emplace_back(text, static_cast<int32_t>(strings.size()));
    scores.push_back(score);
  }
  UnigramPieces<Sum> pieces(std::move(strings), std::move(scores));
  pieces.unknown_score = unknown_score;
  pieces.unknown = unknown;
  return pieces;
}

/// The best sum of all segmentations, one by one.
double best_sum(const std::vector<std::pair<std::string, double>>& scored, std::string_view text,
                double unknown_score) {
  if (text.empty()) return 0;
  double best = -1e300;
  bool single = false;
  for (const auto& [piece, score] : scored) {
    if (!text.starts_with(piece)) continue;
    single = single || piece.size() == 1;
    best = std::max(best, score + best_sum(scored, text.substr(piece.size()), unknown_score));
  }
  return single ? best : std::max(best, unknown_score + best_sum(scored, text.substr(1), unknown_score));
}

TEST(BestPath, IsTheBestOfAllSegmentations) {
  const std::vector<std::pair<std::string, double>> scored = {{"a", -1.5},    {"b", -2.25},  {"ab", -3.0},
                                                              {"ba", -3.5},   {"aab", -4.0}, {"bbb", -5.5},
                                                              {"abab", -6.1}, {"cc", -3.3}};
  const auto pieces = make_pieces<double>(scored, -12.0, 99);
  uint64_t state = 3;
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (int i = 0; i < round % 13; ++i) {
      state = state * 6364136223846793005 + 1442695040888963407;
      text.push_back("abc"[(state >> 33) % 3]);
    }
    UnigramPaths<double> paths;
    std::vector<PieceToken> tokens;
    double sum = 0;
    EXPECT_EQ(find_best_path(pieces, text, one_byte, paths, sum, tokens), text.size());
    EXPECT_NEAR(sum, best_sum(scored, text, -12.0), 1e-9) << text;
    double total = 0;
    size_t end = 0;
    for (const PieceToken& token : tokens) {
      EXPECT_EQ(token.begin, end);
      end = token.end;
      total += token.id == 99 ? -12.0 : scored[static_cast<size_t>(token.id)].second;
    }
    EXPECT_EQ(end, text.size());
    EXPECT_NEAR(total, sum, 1e-9);
  }
}

/// SentencePiece 0.2.3 sets sums beyond 100000 back to zero, which its floats have no room for.
TEST(BestPath, SumsInFloatAreSetBack) {
  UnigramPaths<float> paths;
  std::vector<PieceToken> tokens;
  float sum = 0;
  find_best_path(make_pieces<float>({{"a", -60000.0F}}, -1.0F, 9), "aaa", one_byte, paths, sum, tokens);
  EXPECT_EQ(sum, -60000.0F);

  UnigramPaths<double> exact_paths;
  double exact = 0;
  find_best_path(make_pieces<double>({{"a", -60000.0}}, -1.0, 9), "aaa", one_byte, exact_paths, exact, tokens);
  EXPECT_EQ(exact, -180000.0);
}

TEST(BestPath, SaysByHowMuchItWasBetter) {
  const auto pieces = make_pieces<double>({{"a", -1.0}, {"b", -1.0}, {"ab", -1.75}}, -9.0, 9);
  UnigramPaths<double> paths;
  std::vector<PieceToken> tokens;
  UnigramMargin<double> margin;
  double sum = -10.0;
  find_best_path(pieces, "ab", one_byte, paths, sum, tokens, &margin);
  EXPECT_EQ(tokens.size(), 1U);
  EXPECT_EQ(margin.margin, 0.25);
  EXPECT_EQ(margin.characters, 2U);
}

}  // namespace
}  // namespace sesame
