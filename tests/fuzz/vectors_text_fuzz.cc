#include "tests/fuzz/target.h"
#include "tests/fuzz/word_vectors_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) { use_word_vectors(input, VectorFormat::word2vec_text); }

std::vector<std::string> seeds() {
  return {word_vector_seed(VectorFormat::word2vec_text), "2 2\r\na 1 -2 \r\nb +.5e1 nan\r\n",
          "2 1\na b 1e-46\na b 1e39", "3 1\n\xFF 0x1\n\n", "1000000000 1000000\na 1\n"};
}

const Target target("vectors_text", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
