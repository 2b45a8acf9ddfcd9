#include "tests/fuzz/target.h"
#include "tests/fuzz/word_vectors_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) { use_word_vectors(input, VectorFormat::safetensors); }

std::vector<std::string> seeds() {
  return {word_vector_seed(VectorFormat::safetensors, true), word_vector_seed(VectorFormat::safetensors)};
}

const Target target("vectors_safetensors", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
