#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sesame {

enum class Architecture { skipgram, cbow };
enum class VectorLoss { negative_sampling, hierarchical_softmax };

/// How often an occurrence of a word with count f is kept, with s the threshold and T the corpus' words.
enum class SubsamplingRule {
  code,   // sqrt(s T / f) + s T / f: what word2vec.c, fastText and gensim do
  paper,  // sqrt(s T / f): Mikolov et al., "Distributed Representations of Words and Phrases", 2013, eq. 5
};

/// What a context row receives of the gradient of CBOW's hidden vector, which is the mean of n context rows.
enum class CbowGradient {
  mean,  // 1 / n of it: the derivative (Irsoy et al., "Corrected CBOW Performs as well as Skip-gram", 2020)
  full,  // all of it: word2vec.c
};

/// Everything that decides what `train_word_vectors` does. The defaults of 0 that say so stand for a value that depends
/// on the others: see resolved().
struct VectorOptions {
  Architecture architecture = Architecture::skipgram;
  VectorLoss loss = VectorLoss::negative_sampling;
  CbowGradient cbow_gradient = CbowGradient::mean;
  int64_t dim = 100;          // channels of a vector
  int64_t window = 5;         // most words to either side
  bool fixed_window = false;  // always that many, instead of uniformly 1..window
  int64_t negative = 5;       // noise words a pair, k of the paper
  double sample = 1e-4;       // subsampling threshold; 0: keep every word
  SubsamplingRule subsampling = SubsamplingRule::code;
  double noise_exponent = 0.75;  // noise words are drawn in proportion to count^exponent
  double rate = 0;               // initial learning rate; 0: 0.025 skip-gram, 0.15 CBOW, 0.05 CBOW with full gradient
  int64_t epochs = 5;
  uint64_t seed = 1;

  // Character n-grams (Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017); max_n 0: none.
  int64_t min_n = 0;
  int64_t max_n = 0;
  int64_t buckets = 2'000'000;

  // Shortcuts: each changes what is computed, a little. docs/word_vectors.md has what each costs in quality.
  // Centres that share their negatives and see each other's rows as they were, 1..64; 0: 16 skip-gram, 4 CBOW, where a
  // centre has one hidden vector and so fewer negatives do for it.
  int64_t block = 0;
  int64_t shared_negatives = 32;  // rows drawn for a block and weighted by negative / shared_negatives; 0: as
                                  // many as are due, each centre its own
  int64_t hot_rows = 500;         // the most frequent output rows of which each thread keeps a copy; 0: none
  bool deterministic = false;     // the same bytes for any number of threads
};

/// The same with the dependent defaults filled in. Throws usage Error that names the flag, the value and what is
/// allowed.
VectorOptions resolved(VectorOptions options);

/// Every option as `name=value`, separated by spaces: what a run says it does, and what a checkpoint must agree with.
std::string describe(const VectorOptions& options);

/// "skipgram" or "cbow"; "ns" or "hs". Throw usage Error that names what is allowed.
Architecture parse_architecture(std::string_view text);
VectorLoss parse_vector_loss(std::string_view text);
SubsamplingRule parse_subsampling_rule(std::string_view text);

std::string_view name_of(Architecture architecture);
std::string_view name_of(VectorLoss loss);
std::string_view name_of(SubsamplingRule rule);

}  // namespace sesame
