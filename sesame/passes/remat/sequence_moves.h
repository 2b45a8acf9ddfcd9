#pragma once

#include <cstdint>
#include <vector>

#include "sesame/passes/remat/problem.h"
#include "sesame/passes/remat/sequence_cost.h"

namespace sesame::remat {

/// The neighbours of a sequence. Each may be illegal or over the budget: SequenceCost tells.
class SequenceMoves {
 public:
  explicit SequenceMoves(const Problem& problem);

  /// The sequence whose neighbours are asked for below; `cost` has just evaluated it, and both stay as they are.
  void look_at(const Sequence& sequence, const SequenceCost& cost);

  /// Nodes to run again so that the value of `gap` need not be held over it, in order; empty if that cannot be. Of what
  /// they read and what is gone by then, values up to `hold_bytes` are held on, greater ones are computed again, too.
  const std::vector<int32_t>& replays_for(const SequenceCost::Gap& gap, int64_t hold_bytes);
  /// Seconds that the latest replays_for() adds; less what becomes superfluous.
  [[nodiscard]] double added_seconds(const SequenceCost::Gap& gap) const;
  /// Bytes times positions above the budget that it adds by holding values on.
  [[nodiscard]] double held_on() const { return held_on_; }

  /// Runs of the node at `position` before it: -1 if it runs there for the first time.
  [[nodiscard]] int32_t run_before(int32_t position) const { return run_before_[static_cast<size_t>(position)]; }
  /// Positions above the budget in [from, to).
  [[nodiscard]] int32_t positions_over(int32_t from, int32_t to) const;

  /// Writes the sequence with `nodes` run before `position`, less what nobody reads.
  void insert(int32_t position, const std::vector<int32_t>& nodes, Sequence& out);
  /// ... without the run at `position`, less what nobody reads.
  void remove(int32_t position, Sequence& out);
  /// ... with the run at `position` moved anywhere that its sources and readers allow: 0 is earliest, 1 latest.
  void shift(int32_t position, double where, Sequence& out);

  /// Removes runs that nobody reads, where the node also runs elsewhere.
  void drop_unread(Sequence& sequence);

 private:
  [[nodiscard]] int32_t latest_run(int32_t node, int32_t position) const;
  bool plan(int32_t node, int32_t position, int64_t hold_bytes, int depth);

  const Problem& problem_;
  const Sequence* sequence_ = nullptr;
  const SequenceCost* cost_ = nullptr;
  std::vector<int32_t> slot_;        // per value: which output of its producer it is
  std::vector<int32_t> last_run_;    // per node
  std::vector<int32_t> run_before_;  // per position: the node's run before, or -1
  std::vector<int32_t> over_;        // per position: positions before it that are above the budget
  std::vector<int32_t> replays_;
  std::vector<uint8_t> planned_;  // per node
  double held_on_ = 0;
  // Of drop_unread():
  std::vector<int32_t> latest_;
  std::vector<int32_t> sources_;
  std::vector<int32_t> first_source_;
  std::vector<uint8_t> needed_;
  std::vector<int32_t> left_;
};

}  // namespace sesame::remat
