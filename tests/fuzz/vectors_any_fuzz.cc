#include "tests/fuzz/target.h"
#include "tests/fuzz/word_vectors_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const std::filesystem::path path = scratch_file("vectors", input);
  const VectorFormat format = format_of_file(path);
  require(format != VectorFormat::automatic, "a format is found");
  (void)read_word_vectors(path);
}

std::vector<std::string> seeds() {
  std::vector<std::string> result;
  for (const VectorFormat format :
       {VectorFormat::word2vec_binary, VectorFormat::word2vec_text, VectorFormat::glove_text,
        VectorFormat::fasttext_binary, VectorFormat::safetensors}) {
    result.push_back(word_vector_seed(format));
  }
  return result;
}

const Target target("vectors_any", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
