#pragma once

#include <cstdint>

namespace sesame {

/// A pseudo-random permutation of [0, size) that is computed, not stored: a Feistel network over the smallest even
/// number of bits that holds size, walked along its cycles until it lands inside (Black and Rogaway, "Ciphers with
/// arbitrary finite domains", CT-RSA 2002). The round function is Philox keyed by (seed, stream).
class Permutation {
 public:
  /// 1 <= size <= 2^62.
  Permutation(uint64_t size, uint64_t seed, uint64_t stream);

  /// The image of index < size.
  [[nodiscard]] uint64_t operator()(uint64_t index) const;

 private:
  [[nodiscard]] uint64_t feistel(uint64_t value) const;

  uint64_t size_;
  uint64_t seed_;
  uint64_t stream_;
  int half_bits_ = 1;
};

}  // namespace sesame
