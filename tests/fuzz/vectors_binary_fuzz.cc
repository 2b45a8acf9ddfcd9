#include "tests/fuzz/target.h"
#include "tests/fuzz/word_vectors_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) { use_word_vectors(input, VectorFormat::word2vec_binary); }

std::vector<std::string> seeds() {
  const std::string seed = word_vector_seed(VectorFormat::word2vec_binary);
  return {seed, seed.substr(0, seed.size() - 1), "2147483647 1048576\na " + std::string(40, '\0')};
}

const Target target("vectors_binary", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
