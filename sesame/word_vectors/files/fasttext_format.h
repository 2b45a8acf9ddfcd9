#pragma once

#include <cstdint>

namespace sesame::fasttext {

/// What fastText's .bin files have in common (version 12, of 0.9.2): docs/formats.md.
inline constexpr int32_t kMagic = 793712314;
inline constexpr int32_t kVersion = 12;

enum Model : int32_t { cbow = 1, skipgram = 2, supervised = 3 };
enum Loss : int32_t { hierarchical_softmax = 1, negative_sampling = 2, softmax = 3, one_versus_all = 4 };

/// The first bytes, as they lie in the file; a double, the subsampling threshold, follows.
struct Arguments {
  int32_t magic = kMagic;
  int32_t version = kVersion;
  int32_t dim = 0;
  int32_t window = 0;
  int32_t epochs = 0;
  int32_t min_count = 0;
  int32_t negative = 0;
  int32_t word_ngrams = 1;
  int32_t loss = negative_sampling;
  int32_t model = skipgram;
  int32_t buckets = 0;
  int32_t min_n = 0;
  int32_t max_n = 0;
  int32_t rate_update = 100;
};
static_assert(sizeof(Arguments) == 14 * sizeof(int32_t));

}  // namespace sesame::fasttext
