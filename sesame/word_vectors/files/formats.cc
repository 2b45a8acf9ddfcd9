#include "sesame/word_vectors/files/formats.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <limits>

#include "sesame/base/error.h"

namespace sesame {
namespace {

/// Reads digits at the start of `text` and drops them; -1 where there are none, the largest integer for too many.
int64_t take_integer(std::string_view& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || value < 0) return -1;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc() ? value : std::numeric_limits<int64_t>::max();
}

constexpr size_t kMostHeader = 128;

size_t take_blanks(std::string_view& text) {
  const size_t count = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(count);
  return count;
}

}  // namespace

std::optional<VectorHeader> parse_vector_header(std::string_view start) {
  std::string_view rest = start.substr(0, kMostHeader);
  VectorHeader header;
  header.words = take_integer(rest);
  if (header.words < 0 || take_blanks(rest) == 0) return std::nullopt;
  header.dim = take_integer(rest);
  if (header.dim < 0) return std::nullopt;
  take_blanks(rest);
  if (rest.starts_with('\r')) rest.remove_prefix(1);
  const bool at_end = rest.empty() && start.size() < kMostHeader;
  if (!at_end && !rest.starts_with('\n')) return std::nullopt;
  header.bytes = std::min(start.size(), kMostHeader) - rest.size() + (at_end ? 0 : 1);
  return header;
}

VectorHeader read_vector_header(VectorInput& input, int64_t (*least_row_bytes)(int64_t dim)) {
  const std::optional<VectorHeader> header = parse_vector_header(input.peek(VectorInput::kWindow));
  if (!header) {
    fail(fmt::format("{}: the first line is no header \"words dimensions\", as word2vec's formats have it",
                     input.name()));
  }
  if (header->words == 0) fail(fmt::format("{}: the header says that there are no words", input.name()));
  if (header->dim == 0 || header->dim > kMaxFileDim || header->words > std::numeric_limits<int32_t>::max()) {
    fail(
        fmt::format("{}: the header says {} words of {} dimensions; at most 2^31 - 1 words, and from 1 to {} "
                    "dimensions are supported",
                    input.name(), header->words, header->dim, kMaxFileDim));
  }
  input.skip(header->bytes);
  const auto needed = static_cast<uint64_t>(header->words) * static_cast<uint64_t>(least_row_bytes(header->dim)) - 1;
  if (input.remaining() && *input.remaining() < needed) {
    fail(
        fmt::format("{}: the header says {} words of {} dimensions, which take at least {} bytes, but {} are left; "
                    "the file is truncated, or the header wrong",
                    input.name(), header->words, header->dim, needed, *input.remaining()));
  }
  return *header;
}

int64_t rows_to_expect(const VectorInput& input, const VectorHeader& header) {
  constexpr int64_t kBelievedFloats = int64_t{1} << 20;
  return input.remaining() ? header.words : std::min(header.words, kBelievedFloats / row_stride(header.dim) + 1);
}

std::string shown_word(std::string_view word) {
  constexpr size_t kMost = 40;
  std::string shown = "\"";
  for (const char c : word.substr(0, kMost)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    shown += control ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return shown + (word.size() > kMost ? "...\"" : "\"");
}

int64_t first_not_finite(const float* values, int64_t count) noexcept {
  constexpr uint32_t kExponent = 0x7F800000;
  bool any = false;
  for (int64_t i = 0; i < count; ++i) any |= (std::bit_cast<uint32_t>(values[i]) & kExponent) == kExponent;
  if (!any) return -1;
  return std::find_if(values, values + count,
                      [](float value) { return (std::bit_cast<uint32_t>(value) & kExponent) == kExponent; }) -
         values;
}

void check_finite(const std::filesystem::path& path, const VectorParts& parts) {
  for (int32_t id = 0; id < parts.vocabulary->size(); ++id) {
    if (const int64_t bad = first_not_finite(parts.rows->row(id), parts.rows->dim); bad >= 0) {
      fail(fmt::format("{}: not written: value {} of the word {} is {}; did training diverge? Lower the learning rate",
                       path.string(), bad + 1, shown_word(parts.vocabulary->word(id)), parts.rows->row(id)[bad]));
    }
  }
  for (int64_t i = 0; parts.subwords && i < parts.buckets->rows; ++i) {
    if (const int64_t bad = first_not_finite(parts.buckets->row(i), parts.buckets->dim); bad >= 0) {
      fail(
          fmt::format("{}: not written: value {} of n-gram bucket {} is {}; did training diverge? Lower the learning "
                      "rate",
                      path.string(), bad + 1, i, parts.buckets->row(i)[bad]));
    }
  }
}

}  // namespace sesame
