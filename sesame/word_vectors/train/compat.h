#pragma once

#include "sesame/word_vectors/train/train_word_vectors.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// word2vec.c as it is (Mikolov 2013), for comparison: its generator and the order of its draws, its sigmoid table and
/// clipping, its sentences of 1000 words, CBOW with the full gradient, hidden and output updates in its order. With one
/// thread the rows are the original's but for rounding. `vocabulary` has "</s>" as word 0. `text` is one plain file,
/// whose bytes threads share as the original's do. Shortcuts of the options do not apply.
VectorRun train_as_word2vec(const VectorOptions& options, const Vocabulary& vocabulary,
                            const std::filesystem::path& text, VectorTables& tables, int threads,
                            const VectorProgressFunction& progress = {});

/// The initial tables of word2vec.c.
VectorTables word2vec_tables(const VectorOptions& options, int64_t words);

}  // namespace sesame
