#pragma once

#include <cstdint>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/files/word_vectors.h"
#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/words/vocabulary.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// A text that no training saw, as ids of a vocabulary.
struct HeldOutText {
  std::vector<int32_t> ids;    // IdChunk::kSentenceEnd behind each sentence
  uint64_t words = 0;          // of the vocabulary
  uint64_t unknown_words = 0;  // left out, so that windows reach across them
};

/// Reads the whole text into memory: 4 bytes a word. Throws Error where it has no word of the vocabulary.
HeldOutText read_held_out_text(const WordSourceOptions& source, const Vocabulary& vocabulary);

/// The model's rows in the order of `vocabulary`, [words, dim]: of vectors that come from another program. Throws Error
/// that names a word of the vocabulary which the model lacks. "</s>" may be missing and gets zeros.
RowTable rows_in_order(const WordVectors& model, const Vocabulary& vocabulary);

struct HeldOutOptions {
  Architecture architecture = Architecture::skipgram;
  int64_t window = 5;
  int64_t negative = 5;
  double sample = 0;  // subsampling threshold, word2vec.c's rule; 0: every occurrence counts
  double noise_exponent = 0.75;
  uint64_t seed = 1;
};

struct HeldOutLoss {
  double loss = 0;     // mean over the pairs; rows of zeros give log(2) (1 + negative), less for draws of the centre
  uint64_t pairs = 0;  // skip-gram: context and centre; CBOW: window and centre
};

/// The mean of -log s(h . o) - sum over the noise words n of log s(-h . n), with s(x) = 1 / (1 + exp(-x)), over all
/// pairs of the text: h is a context's row of `input` (skip-gram) or the mean of a window's rows (CBOW), o and n are
/// rows of `output`, o the centre's (Mikolov et al., "Distributed Representations of Words and Phrases", 2013, eq. 4).
/// Half-widths of windows, uniform in 1..window, and noise words, count^noise_exponent without "</s>", are drawn by
/// Philox from seed and position alone: models over one vocabulary see the same pairs. A noise word that is the centre
/// is left out, as in training. Windows end at sentence ends. Sums are in double precision and the same for any number
/// of threads.
///
/// Both tables are [words, dim] in the order of `vocabulary`, whose counts decide the noise. Throws Error for tables of
/// other shapes, a vocabulary without counts, a text without pairs.
HeldOutLoss held_out_loss(const HeldOutOptions& options, const Vocabulary& vocabulary, const HeldOutText& text,
                          const RowTable& input, const RowTable& output, ThreadPool& threads);

}  // namespace sesame
