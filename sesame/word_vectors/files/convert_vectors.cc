#include "sesame/word_vectors/files/convert_vectors.h"

#include <utility>

#include "sesame/word_vectors/files/fasttext_model.h"

namespace sesame {
namespace {

/// And n-grams.
bool keeps_counts(VectorFormat format) {
  return format == VectorFormat::fasttext_binary || format == VectorFormat::safetensors;
}

VectorConversion copy_model(const std::filesystem::path& in, const std::filesystem::path& out) {
  FastTextModel model = read_fasttext_model(in);
  const VectorTables tables{std::move(model.input), std::move(model.output)};
  write_fasttext_model(out, model.options, model.min_count, model.vocabulary, tables, model.tokens);
  VectorConversion result;
  result.from = result.to = VectorFormat::fasttext_binary;
  result.words = model.vocabulary.size();
  result.dim = model.options.dim;
  return result;
}

}  // namespace

VectorConversion convert_word_vectors(const std::filesystem::path& in, const std::filesystem::path& out,
                                      VectorFormat from, VectorFormat to, int64_t max_words) {
  if (to == VectorFormat::automatic) to = format_of_name(out);
  if (from == VectorFormat::automatic) from = format_of_file(in);
  if (from == VectorFormat::fasttext_binary && to == from && max_words == 0) return copy_model(in, out);
  VectorFileSummary summary;
  const WordVectors vectors = read_word_vectors(in, from, max_words, &summary);
  write_word_vectors(out, vectors, to);
  VectorConversion result;
  result.from = from;
  result.to = to;
  result.words = vectors.size();
  result.dim = vectors.dim();
  result.duplicate_words = summary.duplicate_words;
  result.lost_counts = vectors.vocabulary.total() > 0 && !keeps_counts(to);
  result.lost_ngrams = vectors.subwords.has_value() && !keeps_counts(to);
  result.lost_output_matrix = from == VectorFormat::fasttext_binary;
  return result;
}

}  // namespace sesame
