#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "sesame/base/philox.h"

namespace sesame {

/// The random numbers of one chunk of a corpus in one epoch: xoshiro256++ (Blackman and Vigna, "Scrambled linear
/// pseudorandom number generators", 2021), started by Philox of (seed, epoch, chunk), so that what is drawn for a chunk
/// never depends on which thread has it, or when.
class ChunkRandom {
 public:
  ChunkRandom() : ChunkRandom(0, 0, 0) {}
  ChunkRandom(uint64_t seed, int64_t epoch, int64_t chunk) {
    constexpr uint64_t kStream = 0x636875'6E6B73;  // "chunks": apart from the streams of initial tables
    const Philox philox(seed, kStream);
    for (uint64_t half = 0; half < 2; ++half) {
      const auto words = philox.block(2 * static_cast<uint64_t>(chunk) + half, static_cast<uint64_t>(epoch));
      state_[2 * half] = uint64_t{words[0]} << 32 | words[1];
      state_[2 * half + 1] = uint64_t{words[2]} << 32 | words[3];
    }
    state_[0] |= 1;  // a state of zeros would stay one
  }

  uint64_t next() noexcept {
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// 32 bits, the better half.
  uint32_t next32() noexcept { return static_cast<uint32_t>(next() >> 32); }

 private:
  std::array<uint64_t, 4> state_;
};

/// The half-width of a dynamic window: uniform in 1..window.
inline int32_t draw_window(ChunkRandom& random, int32_t window) noexcept {
  return 1 + static_cast<int32_t>(uint64_t{random.next32()} * static_cast<uint32_t>(window) >> 32);
}

}  // namespace sesame
