#include "sesame/word_vectors/files/vector_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/word_vectors/files/fasttext_format.h"
#include "sesame/word_vectors/files/formats.h"

namespace sesame {
namespace {

struct NamedFormat {
  VectorFormat format;
  std::string_view name;
};
constexpr std::array kFormats = {NamedFormat{VectorFormat::automatic, "auto"},
                                 NamedFormat{VectorFormat::word2vec_binary, "word2vec"},
                                 NamedFormat{VectorFormat::word2vec_text, "word2vec-text"},
                                 NamedFormat{VectorFormat::fasttext_binary, "fasttext"},
                                 NamedFormat{VectorFormat::fasttext_text, "fasttext-text"},
                                 NamedFormat{VectorFormat::glove_text, "glove"},
                                 NamedFormat{VectorFormat::safetensors, "safetensors"}};

/// Whether the first values of a row are text: no control characters where floats would lie, and up to the end of the
/// line what numbers are written with, or, where there are enough of them to tell, printable characters alone, so that
/// errors in it are reported as errors of a text.
bool values_are_text(std::string_view values, int64_t dim) {
  const size_t bytes = 4 * static_cast<size_t>(std::min<int64_t>(dim, 64));
  const auto control = [](char c) { return (c >= 0 && c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == '\x7F'; };
  if (std::ranges::any_of(values.substr(0, bytes), control)) return false;
  values = values.substr(0, std::min<size_t>(64, bytes));
  if (values.starts_with('\n')) return false;
  values = values.substr(0, values.find('\n'));
  if (values.find_first_not_of("0123456789+-.eEnaifNAIFty \t\r") == std::string_view::npos) return true;
  const bool printable =
      std::ranges::all_of(values, [](char c) { return c == '\t' || c == '\r' || (c >= ' ' && c <= '~'); });
  return printable && values.size() >= 32;
}

VectorFormat format_behind_header(std::string_view start, const VectorHeader& header) {
  const std::string_view row = start.substr(header.bytes);
  const size_t space = row.find(' ');
  if (space == std::string_view::npos) return VectorFormat::word2vec_text;
  return values_are_text(row.substr(space + 1), header.dim) ? VectorFormat::word2vec_text
                                                            : VectorFormat::word2vec_binary;
}

VectorFormat format_of(std::string_view start) {
  int32_t magic = 0;
  if (start.size() >= sizeof magic) std::memcpy(&magic, start.data(), sizeof magic);
  if (magic == fasttext::kMagic) return VectorFormat::fasttext_binary;
  // safetensors: the size of its header, 64 bits of which the upper ones are zero, and the header, a JSON object.
  if (start.size() > 8 && start[8] == '{' && start.substr(4, 4) == std::string_view("\0\0\0\0", 4))
    return VectorFormat::safetensors;
  if (const std::optional<VectorHeader> header = parse_vector_header(start))
    return format_behind_header(start, *header);
  return VectorFormat::glove_text;
}

constexpr size_t kEnoughToTell = size_t{64} << 10;

WordVectors read_as(VectorInput& input, const std::filesystem::path& path, VectorFormat format, int64_t max_words,
                    VectorFileSummary& summary) {
  switch (format) {
    case VectorFormat::word2vec_text:
    case VectorFormat::fasttext_text:
      return read_text_vectors(input, true, max_words, summary);
    case VectorFormat::word2vec_binary:
      return read_binary_vectors(input, max_words, summary);
    case VectorFormat::fasttext_binary:
      return read_fasttext_vectors(input, max_words);
    case VectorFormat::safetensors:
      return read_safetensors_vectors(path, max_words);
    case VectorFormat::automatic:
    case VectorFormat::glove_text:
      break;
  }
  return read_text_vectors(input, false, max_words, summary);
}

void write_parts(const std::filesystem::path& path, const VectorParts& parts, VectorFormat format) {
  if (format == VectorFormat::automatic) format = format_of_name(path);
  if (parts.vocabulary->size() == 0) fail(fmt::format("{}: not written: there are no words", path.string()));
  if (parts.rows->rows != parts.vocabulary->size())
    fail(fmt::format("{}: not written: {} rows for {} words", path.string(), parts.rows->rows,
                     parts.vocabulary->size()));
  check_finite(path, parts);
  switch (format) {
    case VectorFormat::automatic:
    case VectorFormat::word2vec_text:
    case VectorFormat::fasttext_text:
      return write_text_vectors(path, parts, true);
    case VectorFormat::glove_text:
      return write_text_vectors(path, parts, false);
    case VectorFormat::word2vec_binary:
      return write_binary_vectors(path, parts);
    case VectorFormat::fasttext_binary:
      return write_fasttext_vectors(path, parts);
    case VectorFormat::safetensors:
      return write_safetensors_vectors(path, parts);
  }
}

}  // namespace

VectorFormat parse_vector_format(std::string_view text, std::string_view key) {
  std::string allowed;
  for (const NamedFormat& named : kFormats) {
    if (named.name == text) return named.format;
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", named.name);
  }
  fail_usage(fmt::format("{}: \"{}\" is not one of {}", key, text, allowed));
}

std::string_view name_of(VectorFormat format) {
  return std::ranges::find(kFormats, format, &NamedFormat::format)->name;
}

VectorFormat format_of_file(const std::filesystem::path& path) {
  return format_of(VectorInput(path).peek(kEnoughToTell));
}

VectorFormat format_of_name(const std::filesystem::path& path) {
  const std::string ending = path.extension().string();
  if (ending == ".txt") return VectorFormat::word2vec_text;
  if (ending == ".vec") return VectorFormat::fasttext_text;
  if (ending == ".bin") return VectorFormat::word2vec_binary;
  if (ending == ".safetensors") return VectorFormat::safetensors;
  fail_usage(
      fmt::format("{}: the name does not tell the format; end it in .txt, .vec, .bin or .safetensors, or name "
                  "the format",
                  path.string()));
}

WordVectors read_word_vectors(const std::filesystem::path& path, VectorFormat format, int64_t max_words,
                              VectorFileSummary* summary) {
  VectorInput input(path);
  VectorFileSummary found;
  found.format = format == VectorFormat::automatic ? format_of(input.peek(kEnoughToTell)) : format;
  WordVectors vectors = read_as(input, path, found.format, max_words, found);
  if (summary != nullptr) *summary = found;
  return vectors;
}

void write_word_vectors(const std::filesystem::path& path, const WordVectors& vectors, VectorFormat format) {
  write_parts(path, {&vectors.vocabulary, &vectors.vectors, vectors.subwords, &vectors.buckets}, format);
}

void write_rows(const std::filesystem::path& path, const Vocabulary& vocabulary, const RowTable& rows,
                VectorFormat format) {
  write_parts(path, {&vocabulary, &rows, std::nullopt, nullptr}, format);
}

}  // namespace sesame
