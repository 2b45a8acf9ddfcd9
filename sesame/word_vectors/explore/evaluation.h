#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/explore/analogy_questions.h"
#include "sesame/word_vectors/explore/similarity.h"
#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

/// What a file asks of word vectors, as its first lines show.
enum class EvaluationKind { analogies, similarity, neither };
EvaluationKind evaluation_kind(std::string_view text);

struct EvaluationOptions {
  int64_t restrict_words = 30000;  // analogies look at the first so many words only; 0: at all
  AnalogyOptions analogy;
  bool subwords = false;  // similarity of words outside the vocabulary too, by their n-grams
};

struct Evaluation {
  struct Analogies {
    std::string file;
    AnalogyResult result;
  };
  struct Similarity {
    std::string file;
    SimilarityResult result;
  };
  std::vector<Analogies> analogies;
  std::vector<Similarity> similarity;
  std::vector<std::string> left_out;  // files of a directory that are neither
};

/// Runs every set of questions or pairs among `paths`: files (gzip and Zstandard included), and directories with all
/// sets below them, in the order of their names. A result is named by its file, or below a directory by its path in it;
/// by its whole path where two would be called the same. Throws Error for a path that is not there, a file that is
/// neither kind, a set with a broken line.
Evaluation evaluate_word_vectors(const WordVectors& vectors, std::span<const std::string> paths,
                                 const EvaluationOptions& options, ThreadPool& threads);

}  // namespace sesame
