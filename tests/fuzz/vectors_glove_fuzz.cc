#include "tests/fuzz/target.h"
#include "tests/fuzz/word_vectors_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) { use_word_vectors(input, VectorFormat::glove_text); }

std::vector<std::string> seeds() {
  return {word_vector_seed(VectorFormat::glove_text), "the 1 2\n. . . 3 4\nthe 5 6\n",
          "a -1e-9 12345678901234567890.5\nb 1 2"};
}

const Target target("vectors_glove", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
