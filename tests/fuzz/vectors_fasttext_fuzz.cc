#include <utility>

#include "sesame/word_vectors/files/fasttext_model.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/word_vectors_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  use_word_vectors(input, VectorFormat::fasttext_binary);
  FastTextModel model = read_fasttext_model(scratch_file("model.bin", input));
  const VectorTables tables{std::move(model.input), std::move(model.output)};
  const std::filesystem::path again = scratch_directory() / "again.bin";
  allow_error([&] {
    write_fasttext_model(again, model.options, model.min_count, model.vocabulary, tables, model.tokens);
    require(file_bytes(again).size() <= input.size(), "what is written is no longer than what was read");
  });
}

std::vector<std::string> seeds() {
  return {word_vector_seed(VectorFormat::fasttext_binary, true), word_vector_seed(VectorFormat::fasttext_binary)};
}

const Target target("vectors_fasttext", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
