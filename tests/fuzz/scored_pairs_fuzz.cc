#include <cmath>

#include "sesame/word_vectors/explore/similarity.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const std::vector<ScoredPair> pairs = parse_scored_pairs(input, "pairs");
  std::vector<double> scores;
  for (const ScoredPair& pair : pairs) {
    require(!pair.first.empty() && !pair.second.empty(), "words are not empty");
    require(std::isfinite(pair.score), "scores are finite");
    scores.push_back(pair.score);
  }
  const double with_itself = spearman_correlation(scores, scores);
  require(std::isnan(with_itself) || std::abs(with_itself - 1) < 1e-9, "scores agree with themselves");
  WordVectors vectors;
  vectors.vocabulary = Vocabulary::in_order({{pairs[0].first, 1}});
  vectors.vectors = RowTable(1, 2);
  vectors.vectors.row(0)[0] = 1;
  const SimilarityResult result = evaluate_similarity(vectors, pairs);
  require(result.covered <= result.pairs, "no more pairs covered than there are");
}

std::vector<std::string> seeds() {
  return {"tiger\tcat\t7.35\r\ntiger\ttiger\t10.00\r\n",
          "Word 1,Word 2,Human (mean)\nlove,sex,6.77\n",
          "word1 word2 POS SimLex999\nold new A 1.58 2.72\n# gold\n\na b 1e0 x\n",
          "\xEF\xBB\xBF\xE4\xB8\xAD;b;-3\n,;\t 1\n",
          "a b " + repeated("9", 100'000) + "\n",
          repeated("a\tb\t1\n", 20'000)};
}

const Target target("scored_pairs", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
