#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/word_vectors/files/fasttext_format.h"
#include "sesame/word_vectors/files/fasttext_model.h"
#include "sesame/word_vectors/files/formats.h"

namespace sesame {
namespace {

/// Reads a .bin from its start to its end, one part after the other.
class FastTextReader {
 public:
  explicit FastTextReader(VectorInput& input) : input_(input) {
    read_arguments();
    read_sizes();
  }

  [[nodiscard]] const fasttext::Arguments& arguments() const { return arguments_; }
  [[nodiscard]] double sample() const { return sample_; }
  [[nodiscard]] int64_t words() const { return words_; }
  [[nodiscard]] int64_t tokens() const { return tokens_; }
  [[nodiscard]] bool has_ngrams() const { return arguments_.max_n > 0; }

  /// All words are read, the first `wanted` kept.
  Vocabulary read_vocabulary(int64_t wanted) {
    std::string bytes;
    std::vector<size_t> ends;
    std::vector<uint64_t> counts;
    for (int64_t i = 0; i < words_; ++i) {
      const std::string_view word = next_word(i);
      if (i < wanted) bytes += word;
      input_.skip(word.size() + 1);
      const auto count = input_.read<int64_t>("the dictionary");
      const auto type = input_.read<int8_t>("the dictionary");
      if (count < 0 || type != 0)
        refuse(fmt::format("word {} of the dictionary has the count {} and the type {}", i, count, type));
      if (i >= wanted) continue;
      ends.push_back(bytes.size());
      counts.push_back(static_cast<uint64_t>(count));
    }
    check_size_of_matrices();
    std::vector<Vocabulary::Entry> entries(ends.size());
    for (size_t i = 0; i < ends.size(); ++i) {
      const size_t begin = i == 0 ? 0 : ends[i - 1];
      entries[i] = {std::string_view(bytes).substr(begin, ends[i] - begin), counts[i]};
    }
    try {
      return Vocabulary::in_order(entries);
    } catch (const Error& error) {
      refuse(error.what());
    }
  }

  /// The start of the input matrix [words + buckets, dim], whose rows are read next.
  void start_input() { start_matrix("input", words_ + arguments_.buckets); }
  /// The start of the output matrix [words, dim].
  void start_output() { start_matrix("output", words_); }

  void read_rows(RowTable& table, int64_t first, int64_t count, std::string_view what) {
    for (int64_t i = first; i < first + count; ++i) {
      input_.read(std::as_writable_bytes(std::span(table.row(i), static_cast<size_t>(table.dim))), what);
      if (const int64_t bad = first_not_finite(table.row(i), table.dim); bad >= 0)
        refuse(fmt::format("value {} of row {} of {} is {}", bad, i, what, table.row(i)[bad]));
    }
  }

  void skip_rows(int64_t count, std::string_view what) {
    RowTable row(1, arguments_.dim);
    for (int64_t i = 0; i < count; ++i)
      input_.read(std::as_writable_bytes(std::span(row.row(0), static_cast<size_t>(row.dim))), what);
  }

  void check_end() {
    if (!input_.peek(1).empty()) refuse("there are bytes behind the output matrix; the file is damaged");
  }

 private:
  [[noreturn]] void refuse(const std::string& problem) const { fail(fmt::format("{}: {}", input_.name(), problem)); }

  void read_arguments() {
    arguments_ = input_.read<fasttext::Arguments>("the header of a fastText model");
    const fasttext::Arguments& a = arguments_;
    if (a.magic != fasttext::kMagic) refuse("this is no fastText model: it does not start with the magic number");
    if (a.version != fasttext::kVersion) {
      refuse(fmt::format("a fastText model of version {}; version {} is supported, which fastText 0.2 to 0.9 write",
                         a.version, fasttext::kVersion));
    }
    if (a.model == fasttext::supervised)
      refuse("a supervised fastText classifier (all quantised .ftz models are); only word vectors are supported");
    if (a.model != fasttext::cbow && a.model != fasttext::skipgram)
      refuse(fmt::format("model {} in the header, expected 1 (cbow) or 2 (skipgram)", a.model));
    if (a.dim < 1 || a.dim > kMaxFileDim)
      refuse(fmt::format("{} dimensions in the header; from 1 to {} are supported", a.dim, kMaxFileDim));
    if (a.buckets < 0 || a.max_n > kMaxNgram || (a.max_n > 0 && a.buckets == 0)) {
      refuse(fmt::format("n-grams of {} to {} characters in {} buckets; at most {} characters are supported", a.min_n,
                         a.max_n, a.buckets, kMaxNgram));
    }
    sample_ = input_.read<double>("the header of a fastText model");
  }

  void read_sizes() {
    const auto size = input_.read<int32_t>("the dictionary's header");
    const auto words = input_.read<int32_t>("the dictionary's header");
    const auto labels = input_.read<int32_t>("the dictionary's header");
    tokens_ = input_.read<int64_t>("the dictionary's header");
    const auto pruned = input_.read<int64_t>("the dictionary's header");
    if (pruned >= 0) refuse("the dictionary is pruned, as quantised fastText models have it; that is not supported");
    if (labels != 0) refuse(fmt::format("the dictionary has {} labels; only word vectors are supported", labels));
    if (words < 1 || size != words) refuse(fmt::format("the dictionary has {} entries and {} words", size, words));
    words_ = words;
    // A word has one byte and its end, eight of count and one of type.
    const uint64_t needed = 11 * static_cast<uint64_t>(words_) + matrix_bytes();
    if (input_.remaining() && *input_.remaining() < needed) {
      refuse(
          fmt::format("{} words and {} buckets of {} dimensions take at least {} bytes, but {} are left; the file "
                      "is truncated",
                      words_, arguments_.buckets, arguments_.dim, needed, *input_.remaining()));
    }
  }

  /// Of both, with a flag and two sizes each.
  [[nodiscard]] uint64_t matrix_bytes() const {
    const uint64_t rows = 2 * static_cast<uint64_t>(words_) + static_cast<uint64_t>(arguments_.buckets);
    return rows * row_bytes() + 2 * 17;
  }

  void check_size_of_matrices() const {
    if (!input_.remaining() || *input_.remaining() == matrix_bytes()) return;
    refuse(
        fmt::format("the matrices of {} words and {} buckets of {} dimensions take {} bytes, but {} are left; the "
                    "file is {}",
                    words_, arguments_.buckets, arguments_.dim, matrix_bytes(), *input_.remaining(),
                    *input_.remaining() < matrix_bytes() ? "truncated" : "damaged"));
  }

  std::string_view next_word(int64_t i) {
    for (size_t wanted = 4096;; wanted *= 2) {
      const std::string_view window = input_.peek(wanted);
      const std::string_view word = window.substr(0, window.find('\0'));
      if (word.empty()) refuse(fmt::format("word {} of the dictionary is empty, or the file truncated there", i));
      if (word.size() > kMaxWordBytes) refuse(fmt::format("word {} of the dictionary has no end", i));
      if (word.size() < window.size()) return word;
      if (window.size() < wanted) refuse(fmt::format("the file ends in word {} of the dictionary", i));
    }
  }

  void start_matrix(std::string_view which, int64_t expected_rows) {
    const std::string what = fmt::format("the {} matrix", which);
    if (input_.read<uint8_t>(what) != 0)
      refuse(fmt::format("{} is quantised, as in fastText's .ftz; that is not supported", what));
    const auto rows = input_.read<int64_t>(what);
    const auto dim = input_.read<int64_t>(what);
    if (rows != expected_rows || dim != arguments_.dim)
      refuse(
          fmt::format("{} has the shape [{}, {}], expected [{}, {}]", what, rows, dim, expected_rows, arguments_.dim));
  }

  [[nodiscard]] uint64_t row_bytes() const { return static_cast<uint64_t>(arguments_.dim) * sizeof(float); }

  VectorInput& input_;
  fasttext::Arguments arguments_;
  double sample_ = 0;
  int64_t words_ = 0;
  int64_t tokens_ = 0;
};

VectorLoss loss_of(const VectorInput& input, int32_t loss) {
  if (loss == fasttext::hierarchical_softmax) return VectorLoss::hierarchical_softmax;
  if (loss == fasttext::negative_sampling) return VectorLoss::negative_sampling;
  fail(fmt::format("{}: trained with loss {}; 1 (hierarchical softmax) and 2 (negative sampling) are supported",
                   input.name(), loss));
}

VectorOptions options_of(const VectorInput& input, const FastTextReader& reader) {
  const fasttext::Arguments& a = reader.arguments();
  VectorOptions options;
  options.architecture = a.model == fasttext::cbow ? Architecture::cbow : Architecture::skipgram;
  options.loss = loss_of(input, a.loss);
  options.dim = a.dim;
  options.window = a.window;
  options.epochs = a.epochs;
  options.negative = a.negative;
  options.sample = reader.sample();
  options.noise_exponent = 0.5;
  options.min_n = a.min_n;
  options.max_n = reader.has_ngrams() ? a.max_n : 0;
  options.buckets = reader.has_ngrams() ? a.buckets : 0;
  return options;
}

}  // namespace

FastTextModel read_fasttext_model(const std::filesystem::path& path) {
  VectorInput input(path);
  FastTextReader reader(input);
  FastTextModel model;
  model.options = options_of(input, reader);
  model.min_count = static_cast<uint64_t>(std::max(reader.arguments().min_count, 0));
  model.tokens = static_cast<uint64_t>(std::max<int64_t>(reader.tokens(), 0));
  model.vocabulary = reader.read_vocabulary(reader.words());
  reader.start_input();
  const int64_t input_rows = reader.words() + model.options.buckets;
  model.input = RowTable(input_rows, model.options.dim);
  reader.read_rows(model.input, 0, input_rows, "the input matrix");
  reader.skip_rows(reader.arguments().buckets - model.options.buckets, "the input matrix");
  reader.start_output();
  model.output = RowTable(reader.words(), model.options.dim);
  reader.read_rows(model.output, 0, reader.words(), "the output matrix");
  reader.check_end();
  return model;
}

WordVectors read_fasttext_vectors(VectorInput& input, int64_t max_words) {
  FastTextReader reader(input);
  const fasttext::Arguments& a = reader.arguments();
  const int64_t wanted = max_words > 0 ? std::min(reader.words(), max_words) : reader.words();
  WordVectors result;
  result.vocabulary = reader.read_vocabulary(wanted);
  reader.start_input();
  result.vectors = RowTable(wanted, a.dim);
  reader.read_rows(result.vectors, 0, wanted, "the input matrix");
  if (reader.has_ngrams()) {
    reader.skip_rows(reader.words() - wanted, "the input matrix");
    result.subwords = SubwordShape{a.min_n, a.max_n, a.buckets};
    result.buckets = RowTable(a.buckets, a.dim);
    reader.read_rows(result.buckets, 0, a.buckets, "the input matrix");
    average_with_subwords(result);
    for (int32_t id = 0; id < result.size(); ++id) {
      if (first_not_finite(result.row(id).data(), a.dim) >= 0) {
        fail(fmt::format("{}: the rows of the word {} and its n-grams add up to more than float32 holds", input.name(),
                         shown_word(result.vocabulary.word(id))));
      }
    }
  }
  return result;
}

}  // namespace sesame
