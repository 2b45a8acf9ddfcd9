#include "tests/fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "sesame/base/philox.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

constexpr size_t kMostBytes = size_t{128} << 10;

class Dice {
 public:
  Dice(uint64_t seed, uint64_t stream) : philox_(seed, stream) {}

  /// Uniform in [0, limit); 0 for an empty range.
  size_t below(size_t limit) { return limit == 0 ? 0 : philox_.word(drawn_++, 0) % limit; }

  template <typename T, size_t n>
  const T& one_of(const std::array<T, n>& values) {
    return values[below(n)];
  }

 private:
  Philox philox_;
  uint64_t drawn_ = 0;
};

/// A piece of text: often a few bytes, sometimes any part of it.
struct Piece {
  size_t begin;
  size_t size;
};

Piece piece_of(std::string_view text, Dice& dice) {
  const size_t begin = dice.below(text.size());
  const size_t most = text.size() - begin;
  return {begin, std::min(most, 1 + (dice.below(2) ? dice.below(16) : dice.below(most)))};
}

void change_byte(std::string& text, Dice& dice) {
  static constexpr std::string_view kInteresting("\0\1\x7f\x80\xc3\xe2\xff \n\r\t\"'\\{}[],:=.-0", 24);
  if (text.empty()) return;
  char& byte = text[dice.below(text.size())];
  byte = dice.below(2) ? static_cast<char>(byte ^ (1 << dice.below(8))) : kInteresting[dice.below(kInteresting.size())];
}

void change_word(std::string& text, Dice& dice) {
  static constexpr std::array<uint64_t, 14> kEdges = {0,
                                                      1,
                                                      2,
                                                      255,
                                                      65535,
                                                      65536,
                                                      0x7fffffff,
                                                      0x80000000,
                                                      0xffffffff,
                                                      0x100000000,
                                                      0x3fffffffffffffff,
                                                      0x7fffffffffffffff,
                                                      0x8000000000000000,
                                                      0xffffffffffffffff};
  const size_t width = size_t{1} << (1 + dice.below(3));
  if (text.size() < width) return;
  // Words of binary headers are aligned.
  const size_t at = dice.below(text.size() / width) * width;
  uint64_t word = 0;
  std::memcpy(&word, text.data() + at, width);
  const uint64_t change = dice.below(3) == 0 ? word + dice.below(5) - 2 : dice.one_of(kEdges);
  std::memcpy(text.data() + at, &change, width);
}

void change_number(std::string& text, Dice& dice) {
  static constexpr std::array<std::string_view, 20> kNumbers = {
      "0",
      "-1",
      "1",
      "2",
      "64",
      "2097151",
      "2147483647",
      "2147483648",
      "4294967296",
      "9223372036854775807",
      "9223372036854775808",
      "18446744073709551616",
      "1e308",
      "1e999",
      "-1e19",
      "0.5",
      "null",
      "true",
      "\"7\"",
      "1000000000000000000000000000000000000000000000000000000000000"};
  constexpr std::string_view kDigits = "0123456789";
  const size_t begin = text.find_first_of(kDigits, dice.below(text.size()));
  if (begin == std::string::npos) return;
  const size_t end = std::min(text.find_first_not_of(kDigits, begin), text.size());
  text.replace(begin, end - begin, dice.one_of(kNumbers));
}

void change_value(std::string& text, Dice& dice) {
  static constexpr std::array<std::string_view, 12> kValues = {
      "null", "true", "false", "\"\"", "{}", "[]", "-0", "\"\\u0000\"", "\"\\ud800\"", "[[]]", "1.5", "\"a\""};
  const size_t quote = text.find('"', dice.below(text.size()));
  if (quote == std::string::npos) return;
  const size_t end = text.find('"', quote + 1);
  if (end != std::string::npos) text.replace(quote, end + 1 - quote, dice.one_of(kValues));
}

void cut(std::string& text, Dice& dice) {
  const Piece piece = piece_of(text, dice);
  text.erase(piece.begin, piece.size);
}

void repeat(std::string& text, Dice& dice) {
  static constexpr std::array<size_t, 5> kTimes = {1, 2, 10, 300, 20'000};
  const Piece piece = piece_of(text, dice);
  const std::string part = text.substr(piece.begin, piece.size);
  text.insert(piece.begin, repeated(part, std::min(dice.one_of(kTimes), kMostBytes / (part.size() + 1))));
}

void splice(std::string& text, std::string_view other, Dice& dice) {
  const Piece from = piece_of(other, dice);
  const Piece to = piece_of(text, dice);
  text.replace(to.begin, dice.below(2) ? to.size : 0, other.substr(from.begin, from.size));
}

void nest(std::string& text, Dice& dice) {
  static constexpr std::array<std::string_view, 5> kOpen = {"[", "{\"a\":", "{\"type\":", "a.", "("};
  static constexpr std::array<std::string_view, 5> kClose = {"]", "}", "}", "", ")"};
  const size_t kind = dice.below(kOpen.size());
  const size_t depth = dice.below(2) ? dice.below(100) : dice.below(kMostBytes / 2 / kOpen[kind].size());
  // In place of a value, so that the whole may stay well-formed.
  const size_t colon = text.find_first_of(":=", dice.below(text.size()));
  const size_t at = colon == std::string::npos ? dice.below(text.size() + 1) : colon + 1;
  const size_t end = std::min(text.find_first_of(",}]\n", at), text.size());
  text.replace(at, end - at, repeated(kOpen[kind], depth) + text.substr(at, end - at) + repeated(kClose[kind], depth));
}

}  // namespace

std::string mutate(std::span<const std::string> seeds, size_t index, uint64_t seed, uint64_t stream) {
  Dice dice(seed, stream);
  std::string text = seeds[index];
  for (size_t changes = 1 + dice.below(4); changes > 0; --changes) {
    switch (dice.below(10)) {
      case 0:
      case 1:
        change_byte(text, dice);
        break;
      case 2:
        change_word(text, dice);
        break;
      case 3:
      case 4:
        change_number(text, dice);
        break;
      case 5:
        change_value(text, dice);
        break;
      case 6:
        cut(text, dice);
        break;
      case 7:
        repeat(text, dice);
        break;
      case 8:
        splice(text, seeds[dice.below(seeds.size())], dice);
        break;
      default:
        nest(text, dice);
        break;
    }
    text.resize(std::min(text.size(), kMostBytes));
  }
  return text;
}

}  // namespace sesame::fuzz
