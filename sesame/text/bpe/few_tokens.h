#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sesame/text/bpe/merge_table.h"
#include "sesame/text/token_model.h"

namespace sesame {

/// The rule for two tokens, or none; those with negative ids do not merge.
inline uint32_t rule_of(const MergeTable& table, int32_t left, int32_t right) {
  return (left | right) < 0 ? MergeTable::none : table.find(left, right);
}

/// Sets rules[i] to that of the tokens i and i + 1.
inline void find_rules(const MergeTable& table, std::span<const PieceToken> tokens, std::vector<uint32_t>& rules) {
  rules.resize(tokens.empty() ? 0 : tokens.size() - 1);
  for (size_t i = 0; i < rules.size(); ++i) rules[i] = rule_of(table, tokens[i].id, tokens[i + 1].id);
}

/// Up to 48 tokens that merge: a list, and for each pair its rank and place in one number. Loops have a fixed length,
/// which compilers make vectors of.
class FewTokens {
 public:
  static constexpr size_t most = 48;

  /// `rules`: of each token and the next one. The tokens must stay until the end.
  void begin(const MergeTable& table, std::span<const PieceToken> tokens, std::span<const uint32_t> rules) {
    tokens_ = tokens;
    const size_t n = tokens.size();
    keys_.fill(no_merge);
    for (size_t i = 0; i < n; ++i) {
      ids_[i] = tokens[i].id;
      next_[i] = static_cast<uint8_t>(i + 1);
      previous_[i] = static_cast<uint8_t>(i > 0 ? i - 1 : outside);
    }
    ids_[outside] = -1;
    next_[n - 1] = outside;
    for (size_t i = 0; i + 1 < n; ++i) set_rule(table, i, rules[i]);
  }

  /// Finds the pair that merges next; false where there is none. Never inlined: inside of another loop GCC unrolls
  /// these loops before it could make vectors of them.
  [[gnu::noinline]] bool choose() {
    std::array<int32_t, 16> least;
    for (size_t i = 0; i < 16; ++i) least[i] = lower(keys_[i], keys_[i + 16]);
    for (size_t i = 0; i < 16; ++i) least[i] = lower(least[i], keys_[i + 32]);
    for (size_t i = 0; i < 8; ++i) least[i] = lower(least[i], least[i + 8]);
    for (size_t i = 0; i < 4; ++i) least[i] = lower(least[i], least[i + 4]);
    lowest_ = lower(lower(least[0], least[1]), lower(least[2], least[3]));
    return lowest_ < no_merge;
  }

  /// Merges that pair, and asks memory for what find_neighbours will read.
  void merge_pair(const MergeTable& table) {
    const size_t left = place();
    const size_t right = next_[left];
    ids_[left] = table.rule(rules_[left]).merged;
    keys_[right] = no_merge;
    next_[left] = next_[right];
    previous_[next_[right]] = static_cast<uint8_t>(left);
    table.prefetch(ids_[left], ids_[next_[left]]);
    table.prefetch(ids_[previous_[left]], ids_[left]);
  }

  void find_neighbours(const MergeTable& table) {
    const size_t left = place();
    set_pair(table, left, next_[left]);
    if (previous_[left] != outside) set_pair(table, previous_[left], left);
  }

  void append_to(std::vector<PieceToken>& merged) const {
    for (size_t i = 0; i != outside; i = next_[i]) {
      const size_t last = next_[i] == outside ? tokens_.size() - 1 : size_t{next_[i]} - 1;
      merged.push_back({ids_[i], tokens_[i].begin, tokens_[last].end});
    }
  }

 private:
  static constexpr size_t outside = 63;  // before the first token, behind the last one
  static constexpr int place_bits = 6;
  static constexpr int32_t no_merge = INT32_MAX;  // signed: all processors compare such in vectors
  static_assert(uint64_t{MergeTable::none} << place_bits < uint64_t{no_merge});

  static int32_t lower(int32_t a, int32_t b) { return a < b ? a : b; }

  [[nodiscard]] size_t place() const { return static_cast<size_t>(lowest_) & outside; }

  void set_pair(const MergeTable& table, size_t left, size_t right) {
    set_rule(table, left, rule_of(table, ids_[left], ids_[right]));
  }

  void set_rule(const MergeTable& table, size_t left, uint32_t rule) {
    rules_[left] = rule;
    const auto key = static_cast<int32_t>(table.rank(rule) << place_bits | static_cast<uint32_t>(left));
    keys_[left] = rule == MergeTable::none ? no_merge : key;
  }

  std::span<const PieceToken> tokens_;
  std::array<int32_t, most> keys_;
  std::array<uint32_t, outside + 1> rules_;
  std::array<int32_t, outside + 1> ids_;
  std::array<uint8_t, outside + 1> next_;
  std::array<uint8_t, outside + 1> previous_;
  int32_t lowest_ = no_merge;
};

/// Merges in turns, so that what one waits for in memory comes while the others work. At most 255.
inline void merge_together(const MergeTable& table, std::span<FewTokens> all) {
  std::array<uint8_t, 256> waiting;
  size_t active = 0;
  const auto choose = [&](size_t k) {
    waiting[active] = static_cast<uint8_t>(k);
    active += all[k].choose() ? 1 : 0;
  };
  for (size_t k = 0; k < all.size(); ++k) choose(k);
  while (active > 0) {
    const size_t count = active;
    for (size_t w = 0; w < count; ++w) all[waiting[w]].merge_pair(table);
    for (size_t w = 0; w < count; ++w) all[waiting[w]].find_neighbours(table);
    // What was written a moment ago can't be read as a vector yet: first all are written, then all are read.
    active = 0;
    for (size_t w = 0; w < count; ++w) choose(waiting[w]);
  }
}

}  // namespace sesame
