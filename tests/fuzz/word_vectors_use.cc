#include "tests/fuzz/word_vectors_use.h"

#include <algorithm>
#include <cmath>

#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

bool same(const WordVectors& a, const WordVectors& b) {
  if (a.size() != b.size() || a.dim() != b.dim()) return false;
  for (int32_t id = 0; id < a.size(); ++id) {
    if (a.vocabulary.word(id) != b.vocabulary.word(id) || !std::ranges::equal(a.row(id), b.row(id))) return false;
  }
  return true;
}

}  // namespace

void use_word_vectors(std::string_view input, VectorFormat format) {
  const std::filesystem::path path = scratch_file("vectors", input);
  const WordVectors vectors = read_word_vectors(path, format);
  require(vectors.size() > 0 && vectors.dim() > 0, "a file that is read has words");
  for (int32_t id = 0; id < vectors.size(); ++id) {
    require(vectors.vocabulary.find(vectors.vocabulary.word(id)) == id, "every word is found");
    require(std::ranges::all_of(vectors.row(id), [](float value) { return std::isfinite(value); }),
            "what is read is finite");
  }
  (void)vectors.vector_of("unseen");
  const std::filesystem::path again = scratch_directory() / "again";
  allow_error([&] {
    write_word_vectors(again, vectors, format);
    require(format == VectorFormat::fasttext_binary || same(read_word_vectors(again, format), vectors),
            "what is written is read back");
  });
  const WordVectors first = read_word_vectors(path, format, 1);
  require(first.size() == 1 && std::ranges::equal(first.row(0), vectors.row(0)), "the first word is the first");
}

std::string word_vector_seed(VectorFormat format, bool ngrams) {
  WordVectors vectors;
  vectors.vocabulary = Vocabulary::in_order({{"</s>", 9}, {"caf\xC3\xA9", 5}, {"7", 1}});
  vectors.vectors = RowTable(3, 3);
  for (int64_t i = 0; i < 9; ++i) vectors.vectors.row(i / 3)[i % 3] = static_cast<float>(i - 4) / 3;
  if (ngrams) {
    vectors.subwords = SubwordShape{2, 3, 5};
    vectors.buckets = RowTable(5, 3);
    for (int64_t i = 0; i < 15; ++i) vectors.buckets.row(i / 3)[i % 3] = static_cast<float>(i - 4) / 5;
  }
  const std::filesystem::path path = scratch_directory() / "seed";
  write_word_vectors(path, vectors, format);
  return file_bytes(path);
}

}  // namespace sesame::fuzz
