#include "sesame/word_vectors/files/fasttext_model.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/files/formats.h"
#include "sesame/word_vectors/train/block_step.h"

namespace sesame {

void average_with_subwords(WordVectors& vectors) {
  constexpr int64_t kWords = 256;
  const int64_t words = vectors.vectors.rows;
  ThreadPool threads(words > 4 * kWords ? 0 : 1);
  threads.run((words + kWords - 1) / kWords, [&](int64_t block, int) {
    std::vector<int32_t> buckets;
    std::vector<const float*> rows;
    for (int64_t i = block * kWords; i < std::min(words, (block + 1) * kWords); ++i) {
      buckets.clear();
      append_subwords(vectors.vocabulary.word(static_cast<int32_t>(i)), *vectors.subwords, buckets);
      rows.assign(1, vectors.vectors.row(i));
      for (const int32_t bucket : buckets) rows.push_back(vectors.buckets.row(bucket));
      sum_rows(rows, vectors.dim(), 1.0F / static_cast<float>(rows.size()), vectors.vectors.row(i));
    }
  });
}

WordVectors compose(FastTextModel model) { return compose(model.options, model.vocabulary, std::move(model.input)); }

WordVectors compose(const VectorOptions& options, const Vocabulary& vocabulary, RowTable input) {
  WordVectors result;
  result.vocabulary = vocabulary;
  const int64_t words = vocabulary.size();
  if (options.max_n == 0) {
    result.vectors = std::move(input);
    result.vectors.rows = words;
    return result;
  }
  result.subwords = SubwordShape{options.min_n, options.max_n, options.buckets};
  result.vectors = RowTable(words, options.dim);
  const auto floats = [&](int64_t rows) { return static_cast<size_t>(rows * input.stride) * sizeof(float); };
  if (words > 0) std::memcpy(result.vectors.row(0), input.row(0), floats(words));
  // The buckets move to the front of their table, which is not copied: it is the larger part.
  std::memmove(input.row(0), input.row(words), floats(options.buckets));
  result.buckets = std::move(input);
  result.buckets.rows = options.buckets;
  average_with_subwords(result);
  return result;
}

}  // namespace sesame
