#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/function_ref.h"
#include "sesame/word_vectors/files/fasttext_format.h"
#include "sesame/word_vectors/files/fasttext_model.h"
#include "sesame/word_vectors/files/formats.h"

namespace sesame {
namespace {

template <typename T>
void write_value(FileWriter& out, T value) {
  out.write(std::as_bytes(std::span(&value, 1)));
}

int32_t int32_of(const std::filesystem::path& path, std::string_view what, uint64_t value) {
  if (value > static_cast<uint64_t>(std::numeric_limits<int32_t>::max()))
    fail(fmt::format("{}: fastText's format has no room for {} {}", path.string(), what, value));
  return static_cast<int32_t>(value);
}

fasttext::Arguments arguments_of(const std::filesystem::path& path, const VectorOptions& options, uint64_t min_count) {
  const auto checked = [&](std::string_view what, auto value) {
    return int32_of(path, what, static_cast<uint64_t>(value));
  };
  fasttext::Arguments a;
  a.dim = checked("dimensions", options.dim);
  a.window = checked("a window of", options.window);
  a.epochs = checked("epochs", options.epochs);
  a.min_count = checked("min-count", min_count);
  a.negative = checked("negative", options.negative);
  const bool tree = options.loss == VectorLoss::hierarchical_softmax;
  a.loss = tree ? fasttext::hierarchical_softmax : fasttext::negative_sampling;
  a.model = options.architecture == Architecture::cbow ? fasttext::cbow : fasttext::skipgram;
  a.min_n = checked("min-n", options.min_n);
  a.max_n = checked("max-n", options.max_n);
  if (options.max_n > 0) a.buckets = checked("buckets", options.buckets);
  return a;
}

void write_dictionary(FileWriter& out, const Vocabulary& vocabulary, uint64_t tokens) {
  write_value<int32_t>(out, vocabulary.size());
  write_value<int32_t>(out, vocabulary.size());
  write_value<int32_t>(out, 0);  // labels
  write_value<int64_t>(out, static_cast<int64_t>(tokens > 0 ? tokens : vocabulary.total()));
  write_value<int64_t>(out, -1);  // not pruned
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    out.write(vocabulary.word(id));
    out.write(std::string_view("\0", 1));
    write_value<int64_t>(out, static_cast<int64_t>(vocabulary.count(id)));
    write_value<int8_t>(out, 0);  // a word, no label
  }
}

/// `row` gives each row, valid until it is called again.
void write_matrix(FileWriter& out, int64_t rows, int64_t dim, FunctionRef<const float*(int64_t)> row) {
  write_value<uint8_t>(out, 0);  // not quantised
  write_value<int64_t>(out, rows);
  write_value<int64_t>(out, dim);
  for (int64_t i = 0; i < rows; ++i) out.write(std::as_bytes(std::span(row(i), static_cast<size_t>(dim))));
}

void write_model(const std::filesystem::path& path, const fasttext::Arguments& arguments, double sample,
                 const Vocabulary& vocabulary, uint64_t tokens, FunctionRef<const float*(int64_t)> input_row,
                 FunctionRef<const float*(int64_t)> output_row) {
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string_view word = vocabulary.word(id);
    if (word.find('\0') != std::string_view::npos || word.size() > kMaxWordBytes)
      fail(fmt::format("{}: the word {} can't be written: {}", path.string(), shown_word(word),
                       word.size() > kMaxWordBytes ? "it is too long" : "it has a byte of 0 in it"));
  }
  write_file_atomically(path, [&](FileWriter& out) {
    write_value(out, arguments);
    write_value(out, sample);
    write_dictionary(out, vocabulary, tokens);
    write_matrix(out, int64_t{vocabulary.size()} + arguments.buckets, arguments.dim, input_row);
    write_matrix(out, vocabulary.size(), arguments.dim, output_row);
  });
}

}  // namespace

void write_fasttext_model(const std::filesystem::path& path, const VectorOptions& options, uint64_t min_count,
                          const Vocabulary& vocabulary, const VectorTables& tables, uint64_t tokens) {
  const fasttext::Arguments arguments = arguments_of(path, options, min_count);
  const int64_t words = vocabulary.size();
  if (tables.input.rows != words + arguments.buckets || tables.input.dim != options.dim || tables.output.rows > words ||
      (tables.output.rows > 0 && tables.output.dim != options.dim)) {
    fail(fmt::format("{}: tables of [{}, {}] and [{}, {}] do not fit {} words and {} buckets of {} dimensions",
                     path.string(), tables.input.rows, tables.input.dim, tables.output.rows, tables.output.dim, words,
                     arguments.buckets, options.dim));
  }
  const std::vector<float> zeros(static_cast<size_t>(options.dim));  // a tree has one row less than words
  const auto checked = [&](const RowTable& table, std::string_view which, int64_t i) {
    if (const int64_t bad = first_not_finite(table.row(i), table.dim); bad >= 0)
      fail(
          fmt::format("{}: not written: value {} of row {} of the {} matrix is {}; did training diverge? Lower the "
                      "learning rate",
                      path.string(), bad, i, which, table.row(i)[bad]));
    return table.row(i);
  };
  write_model(
      path, arguments, options.sample, vocabulary, tokens, [&](int64_t i) { return checked(tables.input, "input", i); },
      [&](int64_t i) { return i < tables.output.rows ? checked(tables.output, "output", i) : zeros.data(); });
}

void write_fasttext_vectors(const std::filesystem::path& path, const VectorParts& parts) {
  VectorOptions options;
  options.dim = parts.rows->dim;
  if (parts.subwords) {
    options.min_n = parts.subwords->min_n;
    options.max_n = parts.subwords->max_n;
    options.buckets = parts.subwords->buckets;
  }
  const int64_t words = parts.vocabulary->size();
  std::vector<float> row(static_cast<size_t>(options.dim));
  std::vector<double> sum(row.size());
  std::vector<int32_t> subwords;
  // The mean m of n rows is known, and all of them but the word's own r: r = n m - the sum of the others.
  const auto own_row = [&](int64_t i) -> const float* {
    if (i >= words) return parts.buckets->row(i - words);
    if (!parts.subwords) return parts.rows->row(i);
    subwords.clear();
    append_subwords(parts.vocabulary->word(static_cast<int32_t>(i)), *parts.subwords, subwords);
    std::ranges::fill(sum, 0);
    for (const int32_t bucket : subwords)
      for (size_t d = 0; d < sum.size(); ++d) sum[d] += parts.buckets->row(bucket)[d];
    const auto n = static_cast<double>(subwords.size() + 1);
    for (size_t d = 0; d < row.size(); ++d) row[d] = static_cast<float>(n * parts.rows->row(i)[d] - sum[d]);
    return row.data();
  };
  const std::vector<float> zeros(row.size());
  write_model(path, arguments_of(path, options, 1), options.sample, *parts.vocabulary, 0, own_row,
              [&](int64_t) { return zeros.data(); });
}

}  // namespace sesame
