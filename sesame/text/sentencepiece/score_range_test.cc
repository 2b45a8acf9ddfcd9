#include "sesame/text/sentencepiece/score_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sesame/text/unigram/best_path.h"

namespace sesame {
namespace {

class Draw {
 public:
  uint32_t below(uint32_t limit) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>((state_ >> 33) % limit);
  }

 private:
  uint64_t state_ = 5;
};

std::string random_text(Draw& draw, uint32_t longest) {
  std::string text;
  for (uint32_t left = 1 + draw.below(longest); left > 0; --left) text.push_back("abc"[draw.below(3)]);
  return text;
}

/// Pieces between which there is often little to choose: scores go with the length, apart from multiples of 2^-11,
/// many of which are half-way between the floats at a large sum.
UnigramPieces<float> make_pieces(Draw& draw) {
  std::set<std::string> strings = {"a", "b", "c"};
  while (strings.size() < 60) strings.insert(random_text(draw, 5));
  std::vector<std::pair<std::string_view, int32_t>> by_id;
  std::vector<float> scores;
  for (const std::string& text : strings) {
    by_id.emplace_back(text, static_cast<int32_t>(by_id.size()));
    scores.push_back(-3.0F * static_cast<float>(text.size()) + 0x1p-11F * static_cast<float>(draw.below(100)));
  }
  UnigramPieces<float> pieces(std::move(by_id), std::move(scores));
  pieces.unknown_score = -20;
  pieces.unknown = 99;
  return pieces;
}

std::vector<int32_t> ids_after(const UnigramPieces<float>& pieces, const std::string& text, float sum,
                               UnigramMargin<float>* margin = nullptr) {
  UnigramPaths<float> paths;
  std::vector<PieceToken> tokens;
  find_best_path(
      pieces, text, [](std::string_view, size_t) { return size_t{1}; }, paths, sum, tokens, margin);
  std::vector<int32_t> ids;
  for (const PieceToken& token : tokens) ids.push_back(token.id);
  return ids;
}

TEST(ScoreRange, AChoiceHoldsBelowItsLimitAndInItsBinade) {
  Draw draw;
  const UnigramPieces<float> pieces = make_pieces(draw);
  std::vector<float> scores(pieces.scores().begin(), pieces.scores().end());
  scores.push_back(pieces.unknown_score);
  const ScoreRange range(scores);
  size_t below = 0;
  size_t same_binade = 0;
  std::set<std::vector<int32_t>> choices;
  for (int round = 0; round < 200; ++round) {
    const std::string text = random_text(draw, 14);
    UnigramMargin<float> margin;
    const std::vector<int32_t> at_zero = ids_after(pieces, text, 0, &margin);
    const uint8_t limit = range.limit_of_margin(margin.margin, at_zero.size() + margin.characters);
    std::map<uint8_t, std::vector<int32_t>> by_binade;
    for (int i = 0; i < 100; ++i) {
      const float sum = -std::ldexp(static_cast<float>(draw.below(1 << 24)), -static_cast<int>(7 + draw.below(10)));
      const std::vector<int32_t> ids = ids_after(pieces, text, sum);
      if (limit >= range.limit_of(sum)) {
        ++below;
        EXPECT_EQ(ids, at_zero) << text << " after " << sum;
      }
      const uint8_t binade = range.binade_of(sum);
      if (binade == 0) continue;
      const auto [known, is_new] = by_binade.emplace(binade, ids);
      same_binade += is_new ? 0 : 1;
      EXPECT_EQ(known->second, ids) << text << " after " << sum;
    }
    for (const auto& [binade, ids] : by_binade) {
      if (ids != at_zero) choices.insert(ids);
    }
  }
  EXPECT_GT(below, 1000U);
  EXPECT_GT(same_binade, 1000U);
  EXPECT_GT(choices.size(), 20U);  // sums do matter in this test
}

TEST(ScoreRange, NothingHoldsWhereSumsAreSetBack) {
  const ScoreRange range(std::vector<float>{-10.0F});
  EXPECT_GT(range.limit_of(-99900.0F), ScoreRange::highest_limit);
  EXPECT_EQ(range.binade_of(-99900.0F), 0);
  EXPECT_EQ(range.limit_of(-70000.0F), 17);
  EXPECT_NE(range.binade_of(-70000.0F), 0);
  EXPECT_NE(range.binade_of(-70000.0F), range.binade_of(std::nextafter(-70000.0F, 0.0F)));
  EXPECT_EQ(range.binade_of(-65500.0F), 0);  // goes on into the next
  EXPECT_EQ(range.binade_of(-900.0F), 0);
}

}  // namespace
}  // namespace sesame
