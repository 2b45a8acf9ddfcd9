#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/huge_buffer.h"
#include "sesame/io/safetensors.h"
#include "sesame/word_vectors/files/formats.h"

namespace sesame {
namespace {

constexpr std::string_view kFormat = "sesame word vectors, version 1";

[[noreturn]] void refuse(const SafetensorsFile& file, const std::string& problem) {
  fail(fmt::format("{}: {}", file.path().string(), problem));
}

/// The first `rows` rows of a tensor [*, dim].
RowTable read_rows(const SafetensorsFile& file, const TensorView& tensor, int64_t rows) {
  const int64_t dim = tensor.shape[1];
  RowTable table(rows, dim);
  const size_t row_bytes = static_cast<size_t>(dim) * element_size(tensor.type);
  TensorView row{tensor.name, tensor.type, {dim}, {}};
  for (int64_t i = 0; i < rows; ++i) {
    row.bytes = tensor.bytes.subspan(static_cast<size_t>(i) * row_bytes, row_bytes);
    copy_as_float32(row, {table.row(i), static_cast<size_t>(dim)});
    if (const int64_t bad = first_not_finite(table.row(i), dim); bad >= 0)
      refuse(file, fmt::format("tensor '{}': value {} of row {} is {}", tensor.name, bad, i, table.row(i)[bad]));
  }
  return table;
}

const TensorView& matrix(const SafetensorsFile& file, std::string_view name) {
  const TensorView& tensor = file.at(name);
  if (tensor.shape.size() != 2 || tensor.shape[1] < 1 || tensor.shape[1] > kMaxFileDim || tensor.shape[0] < 1 ||
      tensor.shape[0] > std::numeric_limits<int32_t>::max()) {
    refuse(file, fmt::format("tensor '{}' has the shape [{}], expected [words, dim]: at most 2^31 - 1 rows of 1 to {} "
                             "values",
                             name, fmt::join(tensor.shape, ", "), kMaxFileDim));
  }
  return tensor;
}

std::vector<int64_t> integers(const SafetensorsFile& file, std::string_view name, int64_t count) {
  const TensorView& tensor = file.at(name);
  if (tensor.shape.size() != 1 || tensor.shape[0] != count || tensor.type != TensorType::i64)
    refuse(file, fmt::format("tensor '{}' is {} [{}], expected I64 [{}]", name, tensor_type_name(tensor.type),
                             fmt::join(tensor.shape, ", "), count));
  std::vector<int64_t> values(static_cast<size_t>(count));
  copy_elements<int64_t>(tensor, values);
  return values;
}

Vocabulary read_words(const SafetensorsFile& file, int64_t words, int64_t wanted) {
  const TensorView& bytes = file.at("words");
  if (bytes.type != TensorType::u8) refuse(file, "tensor 'words' is not U8, the bytes of the words");
  const std::string_view text(reinterpret_cast<const char*>(bytes.bytes.data()), bytes.bytes.size());
  const std::vector<int64_t> offsets = integers(file, "word_offsets", words + 1);
  const std::vector<int64_t> counts =
      file.find("counts") ? integers(file, "counts", words) : std::vector<int64_t>(static_cast<size_t>(words), 0);
  if (offsets.front() != 0 || !std::ranges::is_sorted(offsets) || offsets.back() != std::ssize(text))
    refuse(file, fmt::format("tensor 'word_offsets' does not rise from 0 to {}, the size of 'words'", text.size()));
  std::vector<Vocabulary::Entry> entries(static_cast<size_t>(wanted));
  for (size_t i = 0; i < entries.size(); ++i) {
    if (counts[i] < 0) refuse(file, fmt::format("tensor 'counts': {} at {} is below 0", counts[i], i));
    entries[i] = {text.substr(static_cast<size_t>(offsets[i]), static_cast<size_t>(offsets[i + 1] - offsets[i])),
                  static_cast<uint64_t>(counts[i])};
  }
  try {
    return Vocabulary::in_order(entries);
  } catch (const Error& error) {
    refuse(file, error.what());
  }
}

/// An integer of 0 to 64 from the metadata.
int64_t length_of_ngrams(const SafetensorsFile& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  int64_t value = -1;
  if (found != file.metadata().end()) {
    const std::string& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) value = -1;
  }
  if (value < 0 || value > kMaxNgram)
    refuse(file, fmt::format("there are n-grams, but the metadata has no \"{}\" from 0 to {}", key, kMaxNgram));
  return value;
}

}  // namespace

WordVectors read_safetensors_vectors(const std::filesystem::path& path, int64_t max_words) {
  const SafetensorsFile file(path);
  const auto format = file.metadata().find("format");
  if (format != file.metadata().end() && format->second.starts_with("sesame word vectors") &&
      format->second != kFormat) {
    refuse(file, fmt::format("the format is \"{}\"; this program reads \"{}\"", format->second, kFormat));
  }
  const TensorView& embeddings = matrix(file, "embeddings");
  const int64_t words = embeddings.shape[0];
  const int64_t wanted = max_words > 0 ? std::min(words, max_words) : words;
  WordVectors result;
  result.vocabulary = read_words(file, words, wanted);
  result.vectors = read_rows(file, embeddings, wanted);
  if (file.find("ngram_buckets") != nullptr) {
    const TensorView& buckets = matrix(file, "ngram_buckets");
    if (buckets.shape[1] != embeddings.shape[1])
      refuse(file, fmt::format("rows of 'ngram_buckets' have {} values, those of 'embeddings' {}", buckets.shape[1],
                               embeddings.shape[1]));
    result.subwords = SubwordShape{length_of_ngrams(file, "min_n"), length_of_ngrams(file, "max_n"), buckets.shape[0]};
    result.buckets = read_rows(file, buckets, buckets.shape[0]);
  }
  return result;
}

namespace {

/// Rows without what pads them: as they are where nothing does, else a copy in `memory`.
std::span<const float> packed(const RowTable& table, HugeBuffer& memory) {
  const auto count = static_cast<size_t>(table.rows * table.dim);
  if (table.stride == table.dim) return {table.row(0), count};
  memory = HugeBuffer(count * sizeof(float));
  for (int64_t i = 0; i < table.rows; ++i)
    std::copy_n(table.row(i), table.dim, memory.as<float>().data() + i * table.dim);
  return memory.as<float>();
}

}  // namespace

void write_safetensors_vectors(const std::filesystem::path& path, const VectorParts& parts) {
  const Vocabulary& vocabulary = *parts.vocabulary;
  std::string bytes;
  std::vector<int64_t> offsets = {0};
  std::vector<int64_t> counts;
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    bytes += vocabulary.word(id);
    offsets.push_back(std::ssize(bytes));
    counts.push_back(static_cast<int64_t>(vocabulary.count(id)));
  }
  HugeBuffer row_memory;
  HugeBuffer bucket_memory;
  std::vector<TensorView> tensors = {
      view_of<float>("embeddings", {parts.rows->rows, parts.rows->dim}, packed(*parts.rows, row_memory)),
      view_of<int64_t>("word_offsets", {std::ssize(offsets)}, offsets),
      TensorView{"words", TensorType::u8, {std::ssize(bytes)}, as_bytes(std::string_view(bytes))}};
  if (vocabulary.total() > 0) tensors.push_back(view_of<int64_t>("counts", {std::ssize(counts)}, counts));
  std::map<std::string, std::string> metadata = {{"format", std::string(kFormat)}};
  if (parts.subwords) {
    tensors.push_back(view_of<float>("ngram_buckets", {parts.buckets->rows, parts.buckets->dim},
                                     packed(*parts.buckets, bucket_memory)));
    metadata["min_n"] = std::to_string(parts.subwords->min_n);
    metadata["max_n"] = std::to_string(parts.subwords->max_n);
  }
  write_safetensors(path, tensors, metadata);
}

}  // namespace sesame
