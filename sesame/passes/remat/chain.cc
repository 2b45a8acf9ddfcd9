#include "sesame/passes/remat/chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sesame/base/error.h"

namespace sesame::remat {
namespace {

constexpr double kInfeasible = std::numeric_limits<double>::infinity();

size_t index(int i) { return static_cast<size_t>(i); }

void check(const Chain& chain) {
  for (size_t i = 0; i < chain.stages.size(); ++i) {
    const Chain::Stage& stage = chain.stages[i];
    if (stage.options.empty()) fail(fmt::format("rematerialisation: stage {} of a chain has no option", i));
    bool legal = stage.input_bytes >= 0 && stage.forward_temporary >= 0 && stage.forward_seconds >= 0;
    for (const Chain::Option& option : stage.options) {
      legal = legal && option.saved_bytes >= 0 && option.forward_temporary >= 0 && option.backward_temporary >= 0 &&
              option.forward_seconds >= 0 && option.backward_seconds >= 0;
    }
    if (!legal) fail(fmt::format("rematerialisation: stage {} of a chain has negative bytes or seconds", i));
  }
  if (chain.output_bytes < 0) fail("rematerialisation: the output of a chain has negative bytes");
}

/// Bytes of the activation that enters stage i; that of the stage after the last is the chain's output.
int64_t activation_bytes(const Chain& chain, int i) {
  return index(i) < chain.stages.size() ? chain.stages[index(i)].input_bytes : chain.output_bytes;
}

/// The gradient of what leaves stage b, which is there while stages up to b are run forward again: none for the last,
/// whose gradient only its own backward part creates.
int64_t waiting_gradient_bytes(const Chain& chain, int b) {
  return index(b) + 1 < chain.stages.size() ? chain.stages[index(b) + 1].input_bytes : 0;
}

/// What an option of stage i needs, its input not counted, when stages i..b are to be done and it is the first of them.
int64_t option_bytes(const Chain& chain, int i, int b, const Chain::Option& option) {
  const int64_t forward = option.forward_temporary + waiting_gradient_bytes(chain, b);
  const int64_t gradients = activation_bytes(chain, i) + activation_bytes(chain, i + 1);
  return option.saved_bytes + std::max(forward, gradients + option.backward_temporary);
}

/// Least seconds for stages a..b, forward and backward, when m units are free besides what the input of a takes; the
/// gradient that enters at b, and all that happens in between, must fit in those. Persistent: what is stored stays
/// until its stage's backward part.
class ChainTable {
 public:
  ChainTable(const Chain& chain, int64_t unit, int units)
      : chain_(chain), unit_(unit), units_(units), length_(static_cast<int>(chain.stages.size())) {
    const size_t rows = index(length_) * (index(length_) + 1) / 2;
    seconds_.assign(rows * (index(units_) + 1), kInfeasible);
    first_feasible_.assign(rows, units_ + 1);
    for (int a = length_ - 1; a >= 0; --a) {
      for (int b = a; b < length_; ++b) fill(a, b);
    }
  }

  [[nodiscard]] double seconds() const { return row(0, length_ - 1)[units_]; }

  [[nodiscard]] std::vector<ChainMove> moves() const {
    std::vector<ChainMove> moves;
    append_moves(0, length_ - 1, units_, moves);
    return moves;
  }

 private:
  /// One way to begin a..b. Checkpoint: run forward to stage `next`, do next..b, then a..next-1. Otherwise: run a under
  /// `option`, do a+1..b, then the backward part of a.
  struct Choice {
    bool checkpoint;
    int next = 0;
    int option = 0;
    double seconds = 0;
    int least = 0;   // units that must be free
    int stored = 0;  // units taken while the part after the first is done
  };

  [[nodiscard]] size_t row_number(int a, int b) const {
    return index(a) * index(length_) - index(a) * (index(a) + 1) / 2 + index(b);
  }
  [[nodiscard]] const double* row(int a, int b) const {
    return seconds_.data() + row_number(a, b) * (index(units_) + 1);
  }
  [[nodiscard]] int first_feasible(int a, int b) const { return first_feasible_[row_number(a, b)]; }

  /// Rounded up; units_ + 1 for whatever does not fit.
  [[nodiscard]] int units_of(int64_t bytes) const {
    const int64_t units = bytes / unit_ + (bytes % unit_ != 0);
    return static_cast<int>(std::min<int64_t>(units, units_ + 1));
  }

  template <typename Visit>
  void for_each_choice(int a, int b, Visit&& visit) const {
    const Chain::Stage& first = chain_.stages[index(a)];
    for (int k = 0; k < static_cast<int>(first.options.size()); ++k) {
      const Chain::Option& option = first.options[index(k)];
      visit(Choice{.checkpoint = false,
                   .option = k,
                   .seconds = option.forward_seconds + option.backward_seconds,
                   .least = units_of(option_bytes(chain_, a, b, option)),
                   .stored = units_of(option.saved_bytes)});
    }
    Choice sweep{.checkpoint = true};
    for (int j = a + 1; j <= b; ++j) {
      const Chain::Stage& stage = chain_.stages[index(j) - 1];
      const int64_t input = j - 1 == a ? 0 : stage.input_bytes;
      const int64_t output = activation_bytes(chain_, j);
      const int64_t bytes = input + output + stage.forward_temporary + waiting_gradient_bytes(chain_, b);
      sweep.next = j;
      sweep.seconds += stage.forward_seconds;
      sweep.least = std::max(sweep.least, units_of(bytes));
      sweep.stored = units_of(output);
      visit(sweep);
    }
  }

  void fill(int a, int b) {
    double* out = seconds_.data() + row_number(a, b) * (index(units_) + 1);
    for_each_choice(a, b, [&](const Choice& choice) {
      if (choice.checkpoint) {
        const double* right = row(choice.next, b);
        const double* left = row(a, choice.next - 1);
        const int from = std::max(
            {choice.least, choice.stored + first_feasible(choice.next, b), first_feasible(a, choice.next - 1)});
        relax(out, from, choice.seconds, right, choice.stored, left);
      } else if (a == b) {
        for (int m = choice.least; m <= units_; ++m) out[m] = std::min(out[m], choice.seconds);
      } else {
        const int from = std::max(choice.least, choice.stored + first_feasible(a + 1, b));
        relax(out, from, choice.seconds, row(a + 1, b), choice.stored, nullptr);
      }
    });
    int& first = first_feasible_[row_number(a, b)];
    first = 0;
    while (first <= units_ && out[first] == kInfeasible) ++first;
  }

  /// out[m] = min(out[m], seconds + right[m - stored] (+ left[m])): the inner loop of the whole.
  void relax(double* __restrict out, int from, double seconds, const double* right, int stored, const double* left) {
    if (left == nullptr) {
      for (int m = from; m <= units_; ++m) {
        const double with = seconds + right[m - stored];
        out[m] = with < out[m] ? with : out[m];
      }
    } else {
      for (int m = from; m <= units_; ++m) {
        const double with = seconds + right[m - stored] + left[m];
        out[m] = with < out[m] ? with : out[m];
      }
    }
  }

  [[nodiscard]] double seconds_of(const Choice& choice, int a, int b, int m) const {
    if (choice.least > m) return kInfeasible;
    if (!choice.checkpoint && a == b) return choice.seconds;
    if (choice.stored > m) return kInfeasible;
    if (!choice.checkpoint) return choice.seconds + row(a + 1, b)[m - choice.stored];
    return choice.seconds + row(choice.next, b)[m - choice.stored] + row(a, choice.next - 1)[m];
  }

  void append_moves(int a, int b, int m, std::vector<ChainMove>& moves) const {
    Choice best{.checkpoint = false};
    double least = kInfeasible;
    for_each_choice(a, b, [&](const Choice& choice) {
      const double seconds = seconds_of(choice, a, b, m);
      if (seconds < least) {
        least = seconds;
        best = choice;
      }
    });
    if (!best.checkpoint) {
      moves.push_back({ChainMove::Kind::forward_save, a, best.option});
      if (a < b) append_moves(a + 1, b, m - best.stored, moves);
      moves.push_back({ChainMove::Kind::backward, a, best.option});
      return;
    }
    moves.push_back({ChainMove::Kind::forward_keep, a});
    for (int t = a + 1; t < best.next; ++t) moves.push_back({ChainMove::Kind::forward_drop, t});
    append_moves(best.next, b, m - best.stored, moves);
    append_moves(a, best.next - 1, m, moves);
  }

  const Chain& chain_;
  const int64_t unit_;
  const int units_;
  const int length_;
  std::vector<double> seconds_;      // [a][b >= a][units free]
  std::vector<int> first_feasible_;  // [a][b >= a]
};

/// More than this is of no use to any execution (besides the input), rounding to `units` of it included.
int64_t ample_bytes(const Chain& chain, int units) {
  int64_t saved = 0;
  int64_t most = 0;
  for (int i = 0; i < static_cast<int>(chain.stages.size()); ++i) {
    const Chain::Stage& stage = chain.stages[index(i)];
    int64_t most_saved = 0;
    const int last = static_cast<int>(chain.stages.size()) - 1;
    for (const Chain::Option& option : stage.options) {
      most_saved = std::max(most_saved, option.saved_bytes);
      most = std::max({most, option_bytes(chain, i, i, option), option_bytes(chain, i, last, option)});
    }
    saved += most_saved;
  }
  // Each stage's saved values and the rest may be rounded up by one unit.
  const int64_t rounded = static_cast<int64_t>(chain.stages.size()) + 1;
  return (saved + most + rounded) * units / (units - rounded) + units;
}

/// No execution gets by with less besides the input: each stage must be run under some option.
int64_t needed_bytes(const Chain& chain) {
  const int last = static_cast<int>(chain.stages.size()) - 1;
  int64_t needed = 0;
  for (int i = 0; i < static_cast<int>(chain.stages.size()); ++i) {
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const auto& option : chain.stages[index(i)].options)
      least = std::min(least, option_bytes(chain, i, last, option));
    needed = std::max(needed, least);
  }
  return needed;
}

/// Each stage once, the fastest way: more memory cannot do better.
double ideal_seconds(const Chain& chain) {
  double ideal = 0;
  for (auto stage = chain.stages.rbegin(); stage != chain.stages.rend(); ++stage) {
    double least = kInfeasible;
    for (const auto& option : stage->options) least = std::min(least, option.forward_seconds + option.backward_seconds);
    ideal = least + ideal;  // the table's order of additions
  }
  return ideal;
}

}  // namespace

std::optional<ChainPlan> solve_chain(const Chain& chain, int64_t budget, int units) {
  check(chain);
  if (units < 1) fail(fmt::format("rematerialisation: memory in {} units", units));
  if (chain.stages.empty()) return ChainPlan{};
  units = std::max(units, 4 * static_cast<int>(chain.stages.size()));
  const int64_t ample = ample_bytes(chain, units);
  const int64_t available = std::min(budget - chain.stages[0].input_bytes, ample);
  const int64_t needed = needed_bytes(chain);
  const double ideal = ideal_seconds(chain);

  // The unit halves from `ample / units` until the memory is but just covered, so that a larger budget in the same
  // range never rounds worse. At the edge of a range it might: there, what the finer units of the ranges below find
  // counts, too, which makes the seconds fall with the budget throughout.
  std::optional<ChainPlan> best;
  for (int64_t fraction = units;; fraction *= 2) {
    const int64_t unit = ample / fraction + (ample % fraction != 0);
    const int64_t next_unit = ample / (2 * fraction) + (ample % (2 * fraction) != 0);
    if (unit == 1 || next_unit * units < available) {
      if (std::min(available, unit * units) < needed) break;
      const ChainTable table(chain, unit, static_cast<int>(std::min(available / unit, static_cast<int64_t>(units))));
      if (table.seconds() < (best ? best->seconds : kInfeasible)) best = ChainPlan{table.moves(), table.seconds()};
      if (best && best->seconds <= ideal) break;
    }
    if (unit == 1) break;
  }
  return best;
}

}  // namespace sesame::remat
