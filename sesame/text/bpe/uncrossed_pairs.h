#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/base/flat_array.h"

namespace sesame {

class ImageReader;
class ImageWriter;

/// Places in text that no merge crosses, between two characters of three bytes each (Chinese, Japanese, Korean, Indic
/// ...): where no token of the vocabulary holds what stands on both sides. A piece may be cut there and each part be
/// encoded by itself. Never says so wrongly; of places where it could, it misses a few in a hundred.
class UncrossedPairs {
 public:
  UncrossedPairs() = default;
  /// Of a vocabulary: the bytes of all tokens that merges make, others do no harm.
  explicit UncrossedPairs(std::span<const std::string_view> tokens);

  /// Throws Error for sections that do not hold together.
  explicit UncrossedPairs(const ImageReader& image);
  void write(ImageWriter& image) const;

  /// The first place behind `from`, where a character begins, at which `piece` may be cut; piece.size() if there is
  /// none.
  [[nodiscard]] size_t next_cut(std::string_view piece, size_t from) const noexcept;

 private:
  static constexpr size_t window = 3;

  /// Bytes on the left of a place and on the right of it.
  struct Sides {
    uint32_t left;
    uint32_t right;
  };
  void add(std::string_view left, std::string_view right, std::vector<Sides>& sides, std::vector<uint64_t>& coarse);
  [[nodiscard]] bool crossed(const char* place) const noexcept;
  [[nodiscard]] bool test(Sides sides) const noexcept {
    const size_t bit = bit_of(sides);
    return (bits_[bit / 64] >> (bit % 64) & 1) != 0;
  }
  [[nodiscard]] size_t bit_of(Sides sides) const noexcept {
    return static_cast<size_t>(
        (sides.left * 0x9E3779B97F4A7C15ull ^ sides.right * 0xD6E8FEB86659FD93ull) * 0xE7037ED1A0B428DBull >> shift_);
  }

  // A Bloom filter with one hash: pairs of characters, and pairs of the last byte of one and the other.
  FlatArray<uint64_t> bits_{std::vector<uint64_t>(1)};
  int shift_ = 58;
  // By the last byte of the left character and the first one of the right: tokens that hold no more than that, or one
  // byte more on one side.
  FlatArray<uint64_t> coarse_{std::vector<uint64_t>(256)};
};

}  // namespace sesame
