#include "sesame/passes/remat/local_search.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>
#include <set>

#include "sesame/passes/remat/sequence_cost.h"
#include "sesame/passes/remat/sequence_moves.h"

namespace sesame::remat {
namespace {

using Score = SequenceCost::Score;

size_t index(int32_t i) { return static_cast<size_t>(i); }

class LocalSearch {
 public:
  LocalSearch(const Problem& problem, int64_t budget, double seconds)
      : problem_(problem),
        budget_(budget),
        cost_(problem, budget),
        moves_(problem),
        deadline_(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {
    for (const auto& node : problem.nodes) once_seconds_ += node.seconds;
    mean_seconds_ = once_seconds_ / static_cast<double>(std::max<size_t>(1, problem.nodes.size()));
    little_ = 1e-6 * mean_seconds_ + 1e-300;
  }

  std::optional<Sequence> run(const Sequence& start) {
    settle(start);
    if (start != in_order(problem_)) settle(in_order(problem_));
    exchange();
    anneal();
    settle(best_);
    if (!fits(best_score_)) return std::nullopt;
    return best_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Candidate {
    double price;   // seconds for each byte and position above the budget
    double relief;  // such bytes and positions
    int32_t value;
    int32_t position;
    std::vector<int32_t> nodes;
  };

  [[nodiscard]] bool fits(const Score& score) const { return score.legal && score.peak_bytes <= budget_; }
  [[nodiscard]] bool out_of_time() const { return Clock::now() >= deadline_; }
  /// Solved, or as good as it can be.
  [[nodiscard]] bool perfect() const { return fits(best_score_) && best_score_.seconds <= once_seconds_ * (1 + 1e-12); }

  [[nodiscard]] bool better(const Score& a, const Score& b) const {
    if (!a.legal || !b.legal) return a.legal;
    if (fits(a) != fits(b)) return fits(a);
    if (!fits(a)) return a.excess < b.excess;
    return a.seconds < b.seconds - little_;
  }

  Score evaluate(const Sequence& sequence) {
    work_ += sequence.size();
    const Score score = cost_.evaluate(sequence);
    if (score.legal && better(score, best_score_)) {
      best_ = sequence;
      best_score_ = score;
    }
    return score;
  }

  void settle(Sequence sequence) {
    moves_.drop_unread(sequence);
    if (repair(sequence)) fill(sequence);
  }

  /// Drops until the peak is within the budget. False: nothing more helps.
  bool repair(Sequence& sequence) {
    for (;;) {
      const Score score = evaluate(sequence);
      if (fits(score)) return true;
      if (!score.legal || out_of_time()) return false;
      moves_.look_at(sequence, cost_);
      std::vector<Candidate> candidates = drops();
      if (!drop_many(sequence, score, candidates) && !drop_one(sequence, score, candidates)) return false;
    }
  }

  /// Gaps over positions above the budget, cheapest first: seconds for each byte and position that is relieved.
  std::vector<Candidate> drops() {
    std::vector<Candidate> candidates;
    for (const auto& gap : cost_.gaps()) {
      const int32_t over = moves_.positions_over(gap.from + 1, gap.to);
      if (over == 0) continue;
      const int64_t bytes = problem_.values[index(gap.value)].bytes;
      size_t before = 0;
      for (const int64_t hold : {int64_t{0}, bytes / 2, bytes - 1}) {
        const auto& nodes = moves_.replays_for(gap, hold);
        const double relief = static_cast<double>(bytes) * over - moves_.held_on();
        if (nodes.empty() || nodes.size() == before || relief <= 0) continue;
        before = nodes.size();
        candidates.push_back({price(moves_.added_seconds(gap), relief), relief, gap.value, gap.to, nodes});
      }
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.price < b.price; });
    return candidates;
  }

  /// What costs nothing must still be worth a move.
  [[nodiscard]] double price(double seconds, double relief) const {
    return (std::max(0.0, seconds) + 0.02 * mean_seconds_) / relief;
  }

  /// Far above the budget many of the cheapest drops will be needed anyway.
  bool drop_many(Sequence& sequence, const Score& score, const std::vector<Candidate>& candidates) {
    Sequence next;
    for (double share = 0.5; share > 0.01; share /= 2) {
      const std::vector<const Candidate*> chosen = cheapest(candidates, share * score.excess);
      if (chosen.size() < 2) return false;
      insert_all(sequence, chosen, next);
      const Score then = evaluate(next);
      if (!then.legal || then.excess > (1 - share / 3) * score.excess) continue;
      sequence = next;
      moves_.look_at(sequence, cost_);
      remove_all_that_fit(sequence, replays(sequence), next);
      if (evaluate(next).legal) sequence = next;
      return true;
    }
    return false;
  }

  /// One for each gap, in order of position.
  static std::vector<const Candidate*> cheapest(const std::vector<Candidate>& candidates, double relief) {
    std::vector<const Candidate*> chosen;
    std::set<std::pair<int32_t, int32_t>> seen;
    for (const Candidate& candidate : candidates) {
      if (!seen.emplace(candidate.value, candidate.position).second) continue;
      if (relief <= 0) break;
      chosen.push_back(&candidate);
      relief -= candidate.relief;
    }
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const Candidate* a, const Candidate* b) { return a->position < b->position; });
    return chosen;
  }

  void insert_all(const Sequence& sequence, const std::vector<const Candidate*>& chosen, Sequence& next) {
    next.clear();
    size_t c = 0;
    std::vector<int32_t> added(problem_.nodes.size(), -1);  // per node: before which position
    for (int32_t p = 0; p <= static_cast<int32_t>(sequence.size()); ++p) {
      for (; c < chosen.size() && chosen[c]->position == p; ++c) {
        for (const int32_t node : chosen[c]->nodes) {
          if (added[index(node)] != p) next.push_back(node);
          added[index(node)] = p;
        }
      }
      if (p < static_cast<int32_t>(sequence.size())) next.push_back(sequence[index(p)]);
    }
    moves_.drop_unread(next);
  }

  bool drop_one(Sequence& sequence, const Score& score, const std::vector<Candidate>& candidates) {
    constexpr size_t kLook = 8;
    constexpr size_t kMost = 64;
    Sequence best;
    double best_price = 0;
    const auto consider = [&](const Sequence& next) {
      const Score then = evaluate(next);
      if (!then.legal || then.excess >= score.excess) return;
      const double then_price = price(then.seconds - score.seconds, score.excess - then.excess);
      if (!best.empty() && then_price >= best_price) return;
      best = next;
      best_price = then_price;
    };
    Sequence next;
    for (size_t c = 0; c < std::min(kMost, candidates.size()) && (best.empty() || c < kLook); ++c) {
      moves_.insert(candidates[c].position, candidates[c].nodes, next);
      consider(next);
    }
    if (best.empty()) {
      for (int32_t p = 0; p < static_cast<int32_t>(sequence.size()) && !out_of_time(); ++p) {
        for (const double where : {0.0, 1.0}) {
          moves_.shift(p, where, next);
          consider(next);
        }
      }
    }
    if (best.empty()) return false;
    sequence = best;
    return true;
  }

  struct Replay {
    double worth;  // seconds for each byte and position
    int32_t position;
  };

  /// Runs that are not their node's first, those first that save most for the room that they need.
  std::vector<Replay> replays(const Sequence& sequence) {
    std::vector<Replay> replays;
    for (int32_t p = 0; p < static_cast<int32_t>(sequence.size()); ++p) {
      if (moves_.run_before(p) < 0) continue;
      double room = 1;
      for_each_extension(sequence, p,
                         [&](int64_t bytes, int32_t from) { room += static_cast<double>(bytes) * (p - from); });
      replays.push_back({problem_.nodes[index(sequence[index(p)])].seconds / room, p});
    }
    std::stable_sort(replays.begin(), replays.end(),
                     [](const Replay& a, const Replay& b) { return a.worth > b.worth; });
    return replays;
  }

  /// What would live from `from` on if the run at p were not there: visit(bytes, from).
  template <typename Visit>
  void for_each_extension(const Sequence& sequence, int32_t p, Visit&& visit) const {
    const auto& outputs = problem_.nodes[index(sequence[index(p)])].outputs;
    for (int32_t o = 0; o < static_cast<int32_t>(outputs.size()); ++o) {
      const auto& life = [&](int32_t run) -> const SequenceCost::Life& {
        return cost_.lives()[index(cost_.first_lives()[index(run)] + o)];
      };
      if (life(p).reads == 0) continue;
      visit(problem_.values[index(outputs[index(o)])].bytes, life(moves_.run_before(p)).last + 1);
    }
  }

  /// No longer computes again what there is room to keep. The sequence must fit, and does after.
  void fill(Sequence& sequence) {
    Sequence next;
    for (bool improved = true; improved && !out_of_time();) {
      improved = false;
      const Score score = evaluate(sequence);
      moves_.look_at(sequence, cost_);
      const std::vector<Replay> ranked = replays(sequence);
      remove_all_that_fit(sequence, ranked, next);
      Score then = evaluate(next);
      if (fits(then) && then.seconds < score.seconds - little_) {
        sequence = next;
        improved = true;
        continue;
      }
      for (const Replay& replay : ranked) {
        moves_.remove(replay.position, next);
        then = evaluate(next);
        if (fits(then) && then.seconds < score.seconds - little_) {
          sequence = next;
          improved = true;
          break;
        }
        if (out_of_time()) return;
      }
    }
  }

  void remove_all_that_fit(const Sequence& sequence, const std::vector<Replay>& ranked, Sequence& next) {
    std::vector<int64_t> timeline = cost_.timeline();
    std::vector<bool> removed(sequence.size(), false);
    for (const Replay& replay : ranked) {
      bool room = true;
      for_each_extension(sequence, replay.position, [&](int64_t bytes, int32_t from) {
        for (int32_t p = from; p < replay.position && room; ++p) room = timeline[index(p)] + bytes <= budget_;
      });
      if (!room) continue;
      for_each_extension(sequence, replay.position, [&](int64_t bytes, int32_t from) {
        for (int32_t p = from; p < replay.position; ++p) timeline[index(p)] += bytes;
      });
      removed[index(replay.position)] = true;
    }
    next.clear();
    for (size_t p = 0; p < sequence.size(); ++p) {
      if (!removed[p]) next.push_back(sequence[p]);
    }
    moves_.drop_unread(next);
  }

  /// Keeps something that does not fit, and mends what that takes.
  void exchange() {
    const size_t most_work = work_ + kExchangeWork;
    for (bool improved = true; improved && fits(best_score_) && !perfect();) {
      improved = false;
      const Sequence from = best_;
      const Score score = evaluate(from);
      moves_.look_at(from, cost_);
      std::vector<Sequence> starts;
      constexpr size_t kMost = 48;
      for (const Replay& replay : replays(from)) {
        if (starts.size() == kMost) break;
        moves_.remove(replay.position, starts.emplace_back());
      }
      for (const Sequence& start : starts) {
        if (out_of_time() || work_ > most_work) return;
        settle(start);
        if (better(best_score_, score)) {
          improved = true;
          break;
        }
      }
    }
  }

  /// Seconds, and what is above the budget at a rate that rises while the temperature falls.
  [[nodiscard]] double energy(const Score& score, double rate, size_t length) const {
    const double budget = static_cast<double>(std::max<int64_t>(1, budget_));
    const double above = static_cast<double>(std::max<int64_t>(0, score.peak_bytes - budget_)) / budget +
                         score.excess / budget / static_cast<double>(length);
    return score.seconds + rate * once_seconds_ * above;
  }

  void anneal() {
    constexpr int kRounds = 4;
    const auto steps = static_cast<int>(kAnnealingWork / (problem_.nodes.size() + 1) / kRounds);
    if (steps < kFewestSteps) return;
    for (int round = 0; round < kRounds && !perfect(); ++round) {
      Sequence sequence = best_;
      Score score = evaluate(sequence);
      for (int step = 0; step < steps; ++step) {
        if (step % 16 == 0 && (out_of_time() || perfect())) return;
        const double progress = static_cast<double>(step) / steps;
        const double temperature = mean_seconds_ * kHot * std::pow(kCold / kHot, progress);
        const double rate = kLowRate * std::pow(kHighRate / kLowRate, progress);
        if (!neighbour(sequence)) continue;
        const Score then = evaluate(next_);
        if (!then.legal) {
          score = evaluate(sequence);
          continue;
        }
        const double rise = energy(then, rate, next_.size()) - energy(score, rate, sequence.size());
        if (rise <= 0 || uniform() < std::exp(-rise / temperature)) {
          std::swap(sequence, next_);
          score = then;
        } else {
          score = evaluate(sequence);
        }
      }
    }
  }

  double uniform() { return static_cast<double>(random_()) / 4294967296.0; }
  int32_t below(size_t n) { return static_cast<int32_t>(random_() % n); }

  /// Into next_: a random move from `sequence`, which was the last to be evaluated.
  bool neighbour(const Sequence& sequence) {
    moves_.look_at(sequence, cost_);
    const int32_t kind = below(3);
    if (kind == 0) {
      const int32_t position = below(sequence.size());
      if (moves_.run_before(position) < 0) return false;
      moves_.remove(position, next_);
    } else if (kind == 1) {
      if (cost_.gaps().empty()) return false;
      const auto& gap = cost_.gaps()[index(below(cost_.gaps().size()))];
      const int64_t bytes = problem_.values[index(gap.value)].bytes;
      const auto& nodes = moves_.replays_for(gap, static_cast<int64_t>(2 * uniform() * static_cast<double>(bytes)));
      if (nodes.empty()) return false;
      moves_.insert(gap.to, nodes, next_);
    } else {
      moves_.shift(below(sequence.size()), uniform(), next_);
    }
    return next_ != sequence;
  }

  // Work is counted in positions of evaluated sequences, so that what is found does not hang on the clock alone.
  static constexpr size_t kExchangeWork = 1'000'000;
  static constexpr size_t kAnnealingWork = 300'000;
  static constexpr int kFewestSteps = 500;  // where a round has fewer, annealing does nothing
  static constexpr double kHot = 0.5;
  static constexpr double kCold = 0.01;
  static constexpr double kLowRate = 3;
  static constexpr double kHighRate = 30;

  const Problem& problem_;
  const int64_t budget_;
  SequenceCost cost_;
  SequenceMoves moves_;
  const Clock::time_point deadline_;
  double once_seconds_ = 0;
  double mean_seconds_ = 0;
  double little_ = 0;  // a difference in seconds that means nothing
  Sequence best_;
  Score best_score_;
  Sequence next_;
  size_t work_ = 0;
  std::mt19937 random_{1};
};

}  // namespace

std::optional<Sequence> local_search(const Problem& problem, const Sequence& start, int64_t budget,
                                     const SearchLimits& limits) {
  return LocalSearch(problem, budget, limits.seconds).run(start);
}

}  // namespace sesame::remat
