#include "sesame/cli/vectors.h"
#include "sesame/cli/verbs.h"

namespace sesame {
namespace {

constexpr Verb kSubverbs[] = {
    {"train", "learn a vector for each word of a text", add_vectors_train},
    {"phrases", "find words that belong together, and join them in a text", add_vectors_phrases},
    {"neighbors", "the words nearest to a word, or to a sum of words", add_vectors_neighbors},
    {"analogy", "A is to B as C is to what?", add_vectors_analogy},
    {"similarity", "cosines of pairs of words", add_vectors_similarity},
    {"eval", "hold vectors against analogies, people's judgement, a held-out text", add_vectors_eval},
    {"convert", "from any format of word vectors to any other", add_vectors_convert},
    {"plot", "draw words in the plane: principal components or t-SNE", add_vectors_plot},
};

}  // namespace

void add_vectors(CLI::App& app, int& status) {
  add_subverbs(app, kSubverbs, status);
  app.footer(
      "Example:\n  sesame vectors train corpus.txt --out vectors.bin\n  sesame vectors neighbors vectors.bin king");
}

}  // namespace sesame
