#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/train/merge_pass.h"
#include "sesame/text/bpe/train/pair_order.h"
#include "sesame/text/bpe/train/pair_queue.h"
#include "sesame/text/bpe/train/pair_table.h"
#include "sesame/text/bpe/train/symbol_text.h"
#include "sesame/text/bpe/train/token_list.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// What becomes of a token that a second pair of tokens makes too.
enum class EqualToken : uint8_t {
  one,      // it keeps its id, and the merge is recorded
  another,  // it gets an id of its own
  refused,  // the pair is not merged
};

struct MergeRules {
  BpeTie tie = BpeTie::smallest_ids;
  EqualToken equal_token = EqualToken::one;
  int32_t vocabulary_size = 0;
  int64_t min_frequency = 1;           // 0: pairs that do not occur any more are merged too
  uint64_t max_symbols = UINT64_MAX;   // longer tokens are not made, but for pairs of first symbols
  std::string joint;                   // what a right token begins with and a merged one leaves out in the middle
  bool counts_outlive_merges = false;  // a pair that comes again has its former count too, as in Hugging Face's trainer
  bool disjoint_runs = false;          // of n equal symbols side by side n / 2 pairs are counted, not n - 1
  std::function<bool(const std::string& text)> allowed;                     // whether a text may be a token; empty: any
  std::function<void(int64_t pair_count, uint64_t memory_bytes)> progress;  // after every 256 merges and at the end
};

/// Learns merges. Exact: every step merges the pair that counting all pairs anew would find. A merge costs what its
/// occurrences cost.
class MergeTrainer {
 public:
  /// `tokens` holds the symbols of the text, and gets the merged tokens.
  MergeTrainer(SymbolText& text, TokenList& tokens, const MergeRules& rules, ThreadPool& threads);

  /// Merges until the vocabulary is full or no pair is frequent enough. Returns the merges in order; a pair may be
  /// there twice, if its tokens met again after it had been merged.
  std::vector<model::Merge> run();

 private:
  /// Positions of a pair besides those in the table: it came about once more before it was merged.
  struct Additional {
    uint64_t pair;
    std::vector<uint32_t> positions;
    bool done = false;
  };

  /// Old positions of a pair and behind them new ones, each rising.
  struct Mixed {
    uint32_t* begin;
    size_t old;
    size_t size;
  };

  void track_pairs(int64_t least, FunctionRef<bool(uint64_t pair)> accepts);
  void track_rarer_pairs();
  void track_pairs_of(int32_t token);
  bool allowed(uint64_t pair) const;
  std::string merged_text(uint64_t pair) const;
  uint32_t where(PairEntry& entry);
  bool is_current(const QueuedPair& top, PairEntry& entry);
  std::span<const uint32_t> take_positions(const QueuedPair& top, PairEntry& entry);
  void join_other_lists(const QueuedPair& top, PairEntry& entry, std::vector<uint32_t>& positions);
  void merge(const QueuedPair& top, int32_t merged);
  void rewrite(std::span<const uint32_t> positions, uint64_t pair, int32_t merged);
  void raise(MergePass::Side MergePass::*side, int32_t merged);
  void lower(MergePass::Side MergePass::*side, uint64_t pair);
  void add_positions(PairEntry& entry, uint32_t places, MergePass::Side MergePass::*side, int32_t id);
  void push_raised();
  [[nodiscard]] uint64_t memory_bytes() const;

  SymbolText& text_;
  TokenList& tokens_;
  const MergeRules& rules_;
  ThreadPool& threads_;
  PairOrder order_;
  /// Pairs with fewer occurrences are not in the table when they come about; most never matter. Counts only fall, so
  /// that none of them is missed until all others are merged; then the text is counted again with a lower bound.
  int64_t least_tracked_;
  PairTable pairs_;
  PositionArena positions_;
  PairQueue queue_;
  std::vector<MergePass> passes_;  // by part of the positions
  size_t parts_ = 1;               // of the merge that is going on
  std::vector<uint64_t> raised_;   // pairs that got positions in it
  std::vector<Additional> additional_;
  std::vector<size_t> new_additional_;  // their numbers, from 1
  std::vector<Mixed> mixed_;
  std::vector<uint32_t> joined_;
};

}  // namespace sesame
