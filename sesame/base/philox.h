#pragma once

#include <array>
#include <cstdint>

namespace sesame {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based generator.
/// Randomness in Sesame is a pure function of (seed, stream, step, element): nothing is stored, everything can be drawn
/// again.
struct Philox {
  uint64_t key = 0;  // seed mixed with the stream (an op's key, a sampler's epoch, ...)

  static constexpr uint64_t mix(uint64_t seed, uint64_t stream) {
    // splitmix64's finaliser over both words: different streams of one seed, or seeds of one stream, share no key.
    uint64_t z = seed + 0x9E3779B97F4A7C15ull * (stream + 1);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

  constexpr Philox(uint64_t seed, uint64_t stream) : key(mix(seed, stream)) {}

  /// Four independent 32-bit words for the counter (low: which block of four elements, high: the step).
  [[nodiscard]] constexpr std::array<uint32_t, 4> block(uint64_t low, uint64_t high) const {
    uint32_t c0 = static_cast<uint32_t>(low), c1 = static_cast<uint32_t>(low >> 32);
    uint32_t c2 = static_cast<uint32_t>(high), c3 = static_cast<uint32_t>(high >> 32);
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
      const uint64_t p0 = uint64_t{0xD2511F53} * c0;
      const uint64_t p1 = uint64_t{0xCD9E8D57} * c2;
      const uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
      const uint32_t n2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<uint32_t>(p1);
      c3 = static_cast<uint32_t>(p0);
      c0 = n0;
      c2 = n2;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return {c0, c1, c2, c3};
  }

  /// The 32-bit word of one element: word (element % 4) of block (element / 4, step).
  [[nodiscard]] constexpr uint32_t word(uint64_t element, uint64_t step) const {
    return block(element / 4, step)[element % 4];
  }

  /// Uniform in [0, 1) with 24 bits, exact in float.
  static constexpr float uniform(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
};

}  // namespace sesame
