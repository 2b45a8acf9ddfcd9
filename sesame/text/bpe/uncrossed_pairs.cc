#include "sesame/text/bpe/uncrossed_pairs.h"

#include <bit>

#include "sesame/text/files/image.h"

namespace sesame {
namespace {

uint8_t byte_at(const char* p) { return static_cast<uint8_t>(*p); }
bool begins_three(char c) { return (static_cast<uint8_t>(c) & 0xF0) == 0xE0; }
bool continues(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

bool all_continue(std::string_view bytes) {
  for (const char c : bytes) {
    if (!continues(c)) return false;
  }
  return true;
}

/// Whether three bytes are spelled as a character of three bytes.
bool is_three(const char* p) { return begins_three(p[0]) && continues(p[1]) && continues(p[2]); }

uint32_t three_bytes(const char* p) {
  return uint32_t{byte_at(p)} << 16 | uint32_t{byte_at(p + 1)} << 8 | byte_at(p + 2);
}

}  // namespace

UncrossedPairs::UncrossedPairs(std::span<const std::string_view> tokens) {
  std::vector<Sides> sides;
  std::vector<uint64_t> coarse(256);
  for (const std::string_view token : tokens) {
    for (size_t k = 1; k < token.size(); ++k) {
      const std::string_view left = token.substr(k - std::min(k, window), std::min(k, window));
      const std::string_view right = token.substr(k, window);
      // What does not stand between two characters of three bytes is no place that next_cut looks at.
      const bool whole_left = left.size() == window;
      if (whole_left ? !is_three(&left[0]) : !all_continue(left)) continue;
      if (!begins_three(right[0]) || !all_continue(right.substr(1))) continue;
      add(left, right, sides, coarse);
    }
  }
  const size_t bits = std::bit_ceil(16 * sides.size() + 64);
  shift_ = 64 - std::countr_zero(bits);
  std::vector<uint64_t> words(bits / 64);
  for (const Sides& s : sides) words[bit_of(s) / 64] |= uint64_t{1} << (bit_of(s) % 64);
  bits_ = std::move(words);
  coarse_ = std::move(coarse);
}

void UncrossedPairs::add(std::string_view left, std::string_view right, std::vector<Sides>& sides,
                         std::vector<uint64_t>& coarse) {
  const uint8_t last = byte_at(&left.back());
  const uint8_t first = byte_at(&right.front());
  if (left.size() + right.size() < window + 1 || (left.size() == 2 && right.size() == 2)) {
    coarse[last] |= uint64_t{1} << (first & 63);
    return;
  }
  // The bytes that the token leaves open take every value.
  std::vector<uint32_t> lefts;
  if (left.size() == window) {
    lefts.push_back(three_bytes(&left[0]));
  } else if (left.size() == 2) {
    for (uint32_t lead = 0xE0; lead < 0xF0; ++lead) {
      lefts.push_back(lead << 16 | uint32_t{byte_at(&left[0])} << 8 | last);
    }
  } else {
    lefts.push_back(last);
  }
  if (right.size() == window) {
    for (const uint32_t l : lefts) sides.push_back({l, three_bytes(&right[0])});
    return;
  }
  const uint32_t base = uint32_t{first} << 16 | (right.size() == 2 ? uint32_t{byte_at(&right[1])} << 8 : 0);
  for (uint32_t tail = 0; tail < (right.size() == 2 ? 64u : 4096u); ++tail) {
    const uint32_t open = right.size() == 2 ? 0x80 | tail : (0x80 | tail >> 6) << 8 | 0x80 | (tail & 63);
    for (const uint32_t l : lefts) sides.push_back({l, base | open});
  }
}

bool UncrossedPairs::crossed(const char* place) const noexcept {
  const uint32_t right = three_bytes(place);
  const uint8_t last = byte_at(place - 1);
  return test({three_bytes(place - window), right}) || test({last, right}) ||
         (coarse_[last] >> (byte_at(place) & 63) & 1) != 0;
}

size_t UncrossedPairs::next_cut(std::string_view piece, size_t from) const noexcept {
  // Characters of three bytes follow one another mostly: from each place to the next.
  for (size_t place = from + window; place + window <= piece.size(); ++place) {
    const char* const p = piece.data() + place;
    if (!begins_three(*p) || !is_three(p) || !is_three(p - window)) continue;
    if (!crossed(p)) return place;
    place += window - 1;
  }
  return piece.size();
}

UncrossedPairs::UncrossedPairs(const ImageReader& image)
    : bits_(image.get<uint64_t>("uncrossed.bits")), coarse_(image.get<uint64_t>("uncrossed.coarse")) {
  if (!std::has_single_bit(bits_.size())) image.fail_section("uncrossed.bits", "its size is no power of two");
  if (coarse_.size() != 256) image.fail_section("uncrossed.coarse", "expected 256 elements");
  shift_ = 64 - std::countr_zero(64 * bits_.size());
}

void UncrossedPairs::write(ImageWriter& image) const {
  image.add("uncrossed.bits", bits_);
  image.add("uncrossed.coarse", coarse_);
}

}  // namespace sesame
