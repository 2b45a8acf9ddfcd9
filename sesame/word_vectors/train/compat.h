#pragma once

#include <filesystem>

#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/tables.h"
#include "sesame/word_vectors/train/train_word_vectors.h"
#include "sesame/word_vectors/words/vocabulary.h"

namespace sesame {

/// word2vec.c as it is (Mikolov et al., "Efficient Estimation of Word Representations in Vector Space", 2013), for
/// comparison: its generator and the order of its draws, its sigmoid table and clipping, its sentences of 1000 words,
/// CBOW with the full gradient, hidden and output updates in its order. With one thread the rows are the original's but
/// for rounding. Threads begin every epoch at their share of the text as in its release 0.1c; in its last version a
/// thread that has met the end of the file trains no further epoch.
///
/// `vocabulary` has "</s>" as word 0. `text` is one plain file, whose bytes threads share as the original's do.
/// `options` must be resolved(); shortcuts, the seed and the subsampling rule do not apply. Throws usage Error for
/// n-grams. A run that `progress` stops ends between sentences and can't be resumed.
VectorRun train_as_word2vec(const VectorOptions& options, const Vocabulary& vocabulary,
                            const std::filesystem::path& text, VectorTables& tables, int threads,
                            const VectorProgressFunction& progress = {});

/// The initial tables of word2vec.c.
VectorTables word2vec_tables(const VectorOptions& options, int64_t words);

}  // namespace sesame
