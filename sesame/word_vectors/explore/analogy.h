#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/explore/cosine_kernels.h"
#include "sesame/word_vectors/explore/search.h"

namespace sesame {

/// "add" or "mul". Throws usage Error that names what is allowed.
AnalogyRule parse_analogy_rule(std::string_view text);
std::string_view name_of(AnalogyRule rule);

/// What is to be near the answer, and what far from it: king, woman and man. Vectors have any length but 0.
struct AnalogyTerms {
  std::vector<std::vector<float>> positive;
  std::vector<std::vector<float>> negative;
  std::vector<int32_t> excluded;  // ids that are no answer: those of the terms
};

/// The `count` best answers. AnalogyRule::add: the cosine with the sum of the positive unit vectors less the negative
/// ones; multiply: prod p(positive) / (prod p(negative) + 1e-6), p(x) = (1 + cos x) / 2. Throws Error where there is no
/// term, and (add) where the terms cancel out.
std::vector<Neighbor> solve_analogy(const VectorSearch& search, const AnalogyTerms& terms, AnalogyRule rule,
                                    int64_t count);

/// a is to b as c is to ?, as ids.
struct AnalogyIds {
  int32_t a = 0;
  int32_t b = 0;
  int32_t c = 0;
};

/// The answer to each question: the best-scoring id but a, b, c, of equal scores the smallest; -1 where no score
/// exceeds 0. Many questions share few words, and b - a + c is linear in their cosines: so these are computed once for
/// the words, a tile of the vocabulary at a time that stays in the L2 cache, and each question combines three rows.
std::vector<int32_t> solve_analogies(const VectorSearch& search, std::span<const AnalogyIds> questions,
                                     AnalogyRule rule);

}  // namespace sesame
