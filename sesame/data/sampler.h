#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sesame/data/batch.h"
#include "sesame/data/token_stream.h"

namespace sesame {

enum class Sampling {
  shuffled,    // each epoch visits every window of `context` tokens once, in an order and at an offset of its own
  random,      // independent uniform offsets, as nanoGPT draws them
  sequential,  // windows side by side from the start, for evaluation; starts over after the last
};

/// "shuffled", "random", "sequential". Throws usage Error that names `key` for anything else.
Sampling parse_sampling(std::string_view text, std::string_view key);

struct SamplerOptions {
  Sampling sampling = Sampling::shuffled;
  int64_t context = 0;  // tokens per sequence, time
  uint64_t seed = 0;
};

/// Cuts packed sequences of context + 1 tokens out of a stream. Sequence i is a pure function of (stream, options, i):
/// the whole position of a sampler is the number of sequences drawn so far, which the caller keeps. No state, no stored
/// permutation; safe to use from several threads.
class SequenceSampler {
 public:
  /// Throws Error when the stream is shorter than context + 1 tokens.
  SequenceSampler(TokenStream tokens, SamplerOptions options);

  /// Token offset at which sequence `index` begins.
  [[nodiscard]] uint64_t offset(uint64_t index) const;

  /// Sequences [position, position + batch) where inputs.size() == targets.size() == batch * context:
  /// inputs [batch, time] and targets [batch, time], the inputs shifted by one. Does not allocate.
  void fill(uint64_t position, std::span<int32_t> inputs, std::span<int32_t> targets) const;

  /// As above for the arrays "inputs" and "targets" of a batch [batch, time].
  void fill(uint64_t position, Batch& batch) const;

  /// Windows per epoch. `sequential` leaves out the at most `context` tokens that fill no window.
  [[nodiscard]] uint64_t sequences_per_epoch() const { return windows_; }
  [[nodiscard]] const SamplerOptions& options() const { return options_; }
  [[nodiscard]] const TokenStream& tokens() const { return tokens_; }

 private:
  TokenStream tokens_;
  SamplerOptions options_;
  uint64_t windows_ = 0;
  uint64_t jitter_ = 0;  // the offset of an epoch is in [0, jitter_]
};

}  // namespace sesame
