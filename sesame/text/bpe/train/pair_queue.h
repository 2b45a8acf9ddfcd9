#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/bpe/train/pair_order.h"
#include "sesame/text/bpe/train/pair_table.h"

namespace sesame {

/// The pairs of a table by their order. Only pairs whose count is at least a floor are queued; when those are used up,
/// the floor sinks and the table is read again: most pairs never get that far.
class PairQueue {
 public:
  /// Pairs of fewer than `least` occurrences are not given out.
  PairQueue(const PairOrder& order, int64_t least) : order_(order), least_(least) {}

  /// Lowers `least`.
  void set_least(int64_t least) { least_ = least; }

  /// A pair whose count is new. One below the floor is left to the table, unless it names an additional list, of which
  /// the table knows nothing.
  void push(const QueuedPair& pair) {
    if (pair.count < floor_ && !additional(pair)) return;
    heap_.push_back(pair);
    std::push_heap(heap_.begin(), heap_.end(), [&](const auto& a, const auto& b) { return order_.after(a, b); });
  }

  /// Takes the first pair. Its count is what it was when it was pushed. `first_position` of an entry is what a pushed
  /// pair's `where` is.
  std::optional<QueuedPair> pop(PairTable& table, FunctionRef<uint32_t(PairEntry&)> first_position) {
    while (heap_.empty() || heap_.front().count < floor_) {
      if (floor_ <= least_) break;
      lower_floor(table, first_position);
    }
    if (heap_.empty()) return std::nullopt;
    std::pop_heap(heap_.begin(), heap_.end(), [&](const auto& a, const auto& b) { return order_.after(a, b); });
    const QueuedPair pair = heap_.back();
    heap_.pop_back();
    return pair;
  }

 private:
  [[nodiscard]] bool additional(const QueuedPair& pair) const {
    return order_.tie() != BpeTie::first_position && pair.where != 0;
  }
  void lower_floor(PairTable& table, FunctionRef<uint32_t(PairEntry&)> first_position);

  const PairOrder& order_;
  int64_t least_;
  int64_t floor_ = INT64_MAX;
  std::vector<QueuedPair> heap_;
};

}  // namespace sesame
