#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "sesame/base/flat_array.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

class ImageReader;
class ImageWriter;

/// Two neighbouring tokens and the token that they become.
struct MergeRule {
  int32_t left;
  int32_t right;
  int32_t merged;
};

/// The rules of a BPE model, found by pair: 64-bit entries that hold both tokens and the number of the rule, in buckets
/// of four, so that nearly every look-up touches one cache line. Immutable; copies share the tables.
class MergeTable {
 public:
  /// What find returns for a pair that does not merge; larger than every rule's number.
  static constexpr uint32_t none = (uint32_t{1} << 22) - 1;

  MergeTable() = default;

  /// Rules by falling priority: rule i has rank i, or ranks[i] where `ranks`, which never falls, is given (several
  /// rules may then share a rank, and the leftmost pair merges first). Of a pair that is listed twice the last rule
  /// counts, as in Hugging Face's library. Throws Error, beginning with `origin`, for more than 4194302 rules and ids
  /// outside [0, max_token_id].
  MergeTable(std::span<const MergeRule> rules, std::span<const uint32_t> ranks, std::string_view origin);

  /// Sections whose names begin with `prefix`. Throws Error where they do not hold together.
  MergeTable(const ImageReader& image, std::string_view prefix);
  void write(ImageWriter& image, std::string_view prefix) const;

  /// The number of the rule for a pair of ids >= 0, or none. Looks at all four entries of a bucket without a branch: of
  /// most pairs the answer can't be predicted.
  [[nodiscard]] uint32_t find(int32_t left, int32_t right) const noexcept {
    const uint64_t pair = pack(left, right);
    for (size_t i = bucket(pair);; i = (i + 1) & mask_) {
      const uint64_t* const entries = slots_.data() + bucket_size * i;
      uint64_t found = none;
      for (size_t k = 0; k < bucket_size; ++k) found = entries[k] >> rule_bits == pair ? entries[k] : found;
      // Buckets fill from their first entry on; what has no room goes to the next one.
      if (found != none || entries[bucket_size - 1] == empty) [[likely]] {
        return static_cast<uint32_t>(found) & none;
      }
    }
  }

  /// Asks memory for what find, or rule, will read.
  void prefetch(int32_t left, int32_t right) const noexcept {
    __builtin_prefetch(slots_.data() + bucket_size * bucket(pack(left, right)));
  }
  void prefetch_rule(uint32_t number) const noexcept {
    __builtin_prefetch(rules_.data() + std::min<size_t>(number, rules_.size()));
  }

  [[nodiscard]] size_t size() const noexcept { return rules_.size(); }
  [[nodiscard]] const MergeRule& rule(uint32_t number) const noexcept { return rules_[number]; }
  [[nodiscard]] std::span<const MergeRule> rules() const noexcept { return rules_.span(); }

  /// Whether rules share ranks; if not, the number of a rule is its rank.
  [[nodiscard]] bool has_ties() const noexcept { return !ranks_.empty(); }
  /// The rank of a rule; UINT32_MAX for none.
  [[nodiscard]] uint32_t rank(uint32_t number) const noexcept {
    if (number == none) return UINT32_MAX;
    return has_ties() ? ranks_[number] : number;
  }

 private:
  static constexpr int rule_bits = 22;
  static constexpr int id_bits = 21;
  static constexpr size_t bucket_size = 4;
  static_assert(max_token_id < int32_t{1} << id_bits && 2 * id_bits + rule_bits == 64);
  // No rule has the number `none`, so that no entry of a rule is all ones.
  static constexpr uint64_t empty = ~uint64_t{0};

  static uint64_t pack(int32_t left, int32_t right) noexcept {
    return (uint64_t{static_cast<uint32_t>(left)} << id_bits) | static_cast<uint32_t>(right);
  }
  [[nodiscard]] size_t bucket(uint64_t pair) const noexcept {
    return static_cast<size_t>((pair * 0x9E3779B97F4A7C15ull) >> shift_);
  }
  void set_bucket_count(size_t count) noexcept;

  // A table without rules has slots too, so that find needs no test for it.
  FlatArray<uint64_t> slots_{std::vector<uint64_t>(2 * bucket_size, empty)};
  FlatArray<MergeRule> rules_;
  FlatArray<uint32_t> ranks_;  // empty: the rules' numbers
  size_t mask_ = 1;
  int shift_ = 63;
};

}  // namespace sesame
