#include "sesame/io/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "sesame/base/error.h"

namespace sesame {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kHeaderBytes = 128;  // of magic, version, length and text: room for any length of array
constexpr size_t kPrefixBytes = 10;

std::string header(int element_bytes, uint64_t count) {
  std::string text = fmt::format("{{'descr': '<u{}', 'fortran_order': False, 'shape': ({},), }}", element_bytes, count);
  text.resize(kHeaderBytes - kPrefixBytes - 1, ' ');
  text += '\n';
  std::string out(kMagic);
  out += std::string("\x01\x00", 2);
  const auto size = static_cast<uint16_t>(text.size());
  out += static_cast<char>(size & 0xFF);
  out += static_cast<char>(size >> 8);
  return out + text;
}

/// The value behind 'key': in the header's Python dictionary, up to `end`.
std::string_view value_of(std::string_view header, std::string_view key, std::string_view begin, std::string_view end,
                          std::string_view origin) {
  const size_t at = header.find(fmt::format("'{}'", key));
  const size_t from = at == std::string_view::npos ? at : header.find(begin, at + key.size() + 2);
  const size_t to = from == std::string_view::npos ? from : header.find(end, from + begin.size());
  if (to == std::string_view::npos) fail(fmt::format("{}: the header of the array has no '{}'", origin, key));
  return header.substr(from + begin.size(), to - from - begin.size());
}

uint64_t length_of(std::string_view header, std::string_view origin) {
  const std::string_view shape = value_of(header, "shape", "(", ")", origin);
  uint64_t count = 0;
  const auto [end, error] = std::from_chars(shape.data(), shape.data() + shape.size(), count);
  const std::string_view rest(end, static_cast<size_t>(shape.data() + shape.size() - end));
  if (error != std::errc() || (!rest.empty() && rest != "," && rest != ", ")) {
    fail(fmt::format("{}: an array of shape ({}) in place of one dimension", origin, shape.substr(0, 60)));
  }
  return count;
}

template <typename T>
std::vector<int32_t> numbers_of(std::string_view bytes, std::string_view origin) {
  std::vector<int32_t> numbers(bytes.size() / sizeof(T));
  for (size_t i = 0; i < numbers.size(); ++i) {
    T number;
    std::memcpy(&number, bytes.data() + i * sizeof(T), sizeof(T));
    if (!std::in_range<int32_t>(number) || std::cmp_less(number, 0)) {
      fail(fmt::format("{}: element {} is {}: token ids are from 0 to 2147483647", origin, i, number));
    }
    numbers[i] = static_cast<int32_t>(number);
  }
  return numbers;
}

}  // namespace

NpyWriter::NpyWriter(FileWriter& file, int element_bytes)
    : file_(file), element_bytes_(element_bytes), begin_(file.bytes_written()) {
  file_.write(header(element_bytes, 0));
}

void NpyWriter::append(std::span<const int32_t> numbers) {
  const int64_t limit = element_bytes_ == 2 ? 0xFFFF : INT32_MAX;
  const auto outside = std::find_if(numbers.begin(), numbers.end(), [&](int32_t n) { return n < 0 || n > limit; });
  if (outside != numbers.end()) fail(fmt::format("{} does not fit an array of {} bytes", *outside, element_bytes_));
  count_ += numbers.size();
  if (element_bytes_ == 4) return file_.write(std::as_bytes(numbers));
  narrow_.assign(numbers.begin(), numbers.end());
  file_.write(std::as_bytes(std::span(narrow_)));
}

void NpyWriter::finish() { file_.write_at(begin_, as_bytes(header(element_bytes_, count_))); }

bool is_npy(std::string_view first_bytes) noexcept { return first_bytes.starts_with(kMagic); }

std::vector<int32_t> read_npy(std::string_view file, std::string_view origin) {
  if (!is_npy(file) || file.size() < kPrefixBytes) fail(fmt::format("{}: no NumPy array", origin));
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(file[i])); };
  const bool is_long = file[6] != 1;  // versions 2 and 3 have a length of four bytes
  if (is_long && file.size() < 12) fail(fmt::format("{}: the array ends in its header", origin));
  const size_t prefix = is_long ? 12 : kPrefixBytes;
  const size_t size = byte(8) | byte(9) << 8 | (is_long ? byte(10) << 16 | byte(11) << 24 : 0);
  if (size > file.size() - prefix) fail(fmt::format("{}: the array ends in its header", origin));
  const std::string_view text = file.substr(prefix, size);
  const std::string_view bytes = file.substr(prefix + size);
  const std::string_view type = value_of(text, "descr", "'", "'", origin);
  const uint64_t count = length_of(text, origin);
  const uint64_t element =
      type.size() == 3 && type[2] >= '1' && type[2] <= '8' ? static_cast<uint64_t>(type[2] - '0') : 0;
  if (element != 0 && (count > bytes.size() || count * element != bytes.size())) {
    fail(fmt::format("{}: {} elements of {} bytes are said to be there, and {} bytes are", origin, count, element,
                     bytes.size()));
  }
  if (type == "<u2") return numbers_of<uint16_t>(bytes, origin);
  if (type == "<i2") return numbers_of<int16_t>(bytes, origin);
  if (type == "<u4") return numbers_of<uint32_t>(bytes, origin);
  if (type == "<i4") return numbers_of<int32_t>(bytes, origin);
  if (type == "<u8") return numbers_of<uint64_t>(bytes, origin);
  if (type == "<i8") return numbers_of<int64_t>(bytes, origin);
  fail(fmt::format("{}: an array of type '{}': token ids are little-endian integers of 16, 32 or 64 bits", origin,
                   type.substr(0, 20)));
}

}  // namespace sesame
