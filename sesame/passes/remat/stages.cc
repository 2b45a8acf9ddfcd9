#include "sesame/passes/remat/stages.h"

#include <algorithm>
#include <limits>

namespace sesame::remat {
namespace {

/// Values below this share of the largest forward value do not matter for where to cut.
constexpr int64_t kSmallShare = 64;
/// A value that is handed over this many cuts does not belong to the chain: an encoder's output, a mask.
constexpr int kLongLived = 3;

class Cutting {
 public:
  Cutting(const GraphProblem& p, const Sequence& order) : p_(p), order_(order) {
    last_read_.assign(p.value.size(), -1);
    for (int32_t n = 0; n < p.turning; ++n) {
      for (const int32_t v : node(n).inputs) last_read_[index(v)] = n;
    }
    int64_t largest = 0;
    for (size_t v = 0; v < p.value.size(); ++v) {
      if (p.is_forward(producer(v))) largest = std::max(largest, p.problem.values[v].bytes);
    }
    counted_.resize(p.value.size());
    for (size_t v = 0; v < p.value.size(); ++v) counted_[v] = p.problem.values[v].bytes * kSmallShare > largest;
    result_.pinned.assign(p.value.size(), false);
  }

  Stages run(size_t limit) {
    if (p_.turning == 0) return std::move(result_);
    std::vector<int32_t> cuts = lowest_cuts();
    for (size_t v = 0; v < p_.value.size(); ++v) {
      if (crossed(v, cuts) >= kLongLived) counted_[v] = false;
    }
    cuts = lowest_cuts();
    while (cuts.size() >= limit) {  // every second
      for (size_t i = 0; 2 * i < cuts.size(); ++i) cuts[i] = cuts[2 * i];
      cuts.resize((cuts.size() + 1) / 2);
    }
    make_stages(cuts);
    assign_backward();
    for (size_t v = 0; v < p_.value.size(); ++v) {
      if (result_.pinned[v]) result_.pinned_bytes += p_.problem.values[v].bytes;
    }
    return std::move(result_);
  }

 private:
  static size_t index(int32_t i) { return static_cast<size_t>(i); }
  [[nodiscard]] const Problem::Node& node(int32_t n) const { return p_.problem.nodes[index(n)]; }
  [[nodiscard]] int32_t producer(size_t v) const { return p_.problem.values[v].producer; }

  /// True if the value passes from before node `cut` to it or later forward nodes.
  [[nodiscard]] bool crosses(size_t v, int32_t cut) const { return producer(v) < cut && last_read_[v] >= cut; }

  [[nodiscard]] int crossed(size_t v, const std::vector<int32_t>& cuts) const {
    const auto begin = std::ranges::upper_bound(cuts, producer(v));
    const auto end = std::ranges::upper_bound(cuts, last_read_[v]);
    return static_cast<int>(std::max<std::ptrdiff_t>(0, end - begin));
  }

  [[nodiscard]] std::vector<int32_t> values_over(int32_t cut) const {
    std::vector<int32_t> values;
    for (size_t v = 0; v < p_.value.size(); ++v) {
      if (counted_[v] && crosses(v, cut)) values.push_back(static_cast<int32_t>(v));
    }
    return values;
  }

  /// Positions where fewer bytes are handed on than on both sides, without those that hand on all that a neighbour
  /// does, and more.
  [[nodiscard]] std::vector<int32_t> lowest_cuts() const {
    std::vector<int64_t> bytes(index(p_.turning) + 2, 0);  // as changes first
    for (size_t v = 0; v < p_.value.size(); ++v) {
      if (!counted_[v] || last_read_[v] <= producer(v)) continue;
      bytes[index(producer(v)) + 1] += p_.problem.values[v].bytes;
      bytes[index(last_read_[v]) + 1] -= p_.problem.values[v].bytes;
    }
    for (size_t i = 1; i < bytes.size(); ++i) bytes[i] += bytes[i - 1];
    std::vector<int32_t> cuts;
    bool fallen = true;
    for (int32_t cut = 1; cut < p_.turning; ++cut) {
      if (bytes[index(cut)] != bytes[index(cut) - 1]) fallen = bytes[index(cut)] < bytes[index(cut) - 1];
      // The last position of a plateau: what is computed from it alone belongs to the next stage.
      if (fallen && bytes[index(cut)] > 0 && bytes[index(cut) + 1] > bytes[index(cut)]) cuts.push_back(cut);
    }
    return without_dominated(cuts);
  }

  [[nodiscard]] std::vector<int32_t> without_dominated(const std::vector<int32_t>& cuts) const {
    std::vector<std::vector<int32_t>> over;
    for (const int32_t cut : cuts) over.push_back(values_over(cut));
    std::vector<int32_t> kept;
    for (size_t i = 0; i < cuts.size(); ++i) {
      const auto dominated_by = [&](size_t j) {
        return over[j].size() < over[i].size() && !over[j].empty() && std::ranges::includes(over[i], over[j]);
      };
      if ((i > 0 && dominated_by(i - 1)) || (i + 1 < cuts.size() && dominated_by(i + 1))) continue;
      kept.push_back(cuts[i]);
    }
    return kept;
  }

  void make_stages(const std::vector<int32_t>& cuts) {
    stage_of_.assign(p_.node.size(), -1);
    for (size_t v = 0; v < p_.value.size(); ++v) {
      const int crossings = crossed(v, cuts);
      const bool far = crossings > 1 || (crossings == 1 && !counted_[v]) || p_.problem.values[v].kept_to_end;
      result_.pinned[v] = p_.is_forward(producer(v)) && far;
    }
    for (size_t s = 0; s <= cuts.size(); ++s) {
      Stages::Stage stage;
      stage.first = s > 0 ? cuts[s - 1] : 0;
      stage.last = s < cuts.size() ? cuts[s] : p_.turning;
      const auto chained = [&](int32_t cut) {
        std::vector<int32_t> values = values_over(cut);
        std::erase_if(values, [&](int32_t v) { return result_.pinned[index(v)]; });
        return values;
      };
      if (s > 0) stage.input = chained(stage.first);
      if (s < cuts.size()) stage.output = chained(stage.last);
      for (int32_t n = stage.first; n < stage.last; ++n) stage_of_[index(n)] = static_cast<int32_t>(s);
      result_.stages.push_back(std::move(stage));
    }
  }

  /// The stage whose backward part a node belongs to by the forward values that it reads, or -1 if it reads none.
  [[nodiscard]] int32_t stage_by_reads(int32_t n) const {
    int32_t stage = -1;
    for (const int32_t v : node(n).inputs) {
      if (!p_.is_forward(producer(index(v))) || result_.pinned[index(v)]) continue;
      int32_t reads = stage_of_[index(producer(index(v)))];
      const auto next = index(reads) + 1;
      const bool handed_on = next < result_.stages.size() &&
                             std::ranges::find(result_.stages[next].input, v) != result_.stages[next].input.end();
      if (handed_on) ++reads;
      stage = stage < 0 ? reads : std::min(stage, reads);
    }
    return stage;
  }

  /// Bytes of backward values that are live between two neighbours of the backward order: [i] before node i.
  [[nodiscard]] std::vector<int64_t> gradient_bytes(const std::vector<int32_t>& backward) const {
    std::vector<int32_t> place(p_.node.size(), -1);
    for (size_t i = 0; i < backward.size(); ++i) place[index(backward[i])] = static_cast<int32_t>(i);
    std::vector<int32_t> last(p_.value.size(), -1);
    for (size_t i = 0; i < backward.size(); ++i) {
      for (const int32_t v : node(backward[i]).inputs) last[index(v)] = static_cast<int32_t>(i);
    }
    std::vector<int64_t> bytes(backward.size() + 1, 0);
    for (size_t v = 0; v < p_.value.size(); ++v) {
      const int32_t made = p_.is_forward(producer(v)) ? -1 : place[index(producer(v))];
      if (made < 0 || last[v] <= made) continue;
      bytes[index(made) + 1] += p_.problem.values[v].bytes;
      bytes[index(last[v]) + 1] -= p_.problem.values[v].bytes;
    }
    for (size_t i = 1; i < bytes.size(); ++i) bytes[i] += bytes[i - 1];
    return bytes;
  }

  void assign_backward() {
    std::vector<int32_t> backward;
    for (const int32_t n : order_) {
      if (!p_.is_forward(n)) backward.push_back(n);
    }
    const std::vector<int64_t> bytes = gradient_bytes(backward);
    auto current = static_cast<int32_t>(result_.stages.size()) - 1;
    size_t begin = 0;  // first node that is not assigned yet
    size_t known = 0;  // one past the last node that certainly belongs to `current`
    for (size_t i = 0; i < backward.size(); ++i) {
      const int32_t stage = stage_by_reads(backward[i]);
      if (stage < 0) continue;
      if (stage < current) {
        // Somewhere between the two, where the gradients that are handed on are smallest.
        size_t cut = std::min(std::max(known, begin), i);
        for (size_t at = cut; at <= i; ++at) {
          if (bytes[at] < bytes[cut]) cut = at;
        }
        assign(backward, begin, cut, current);
        begin = cut;
        current = stage;
      }
      known = i + 1;
    }
    assign(backward, begin, backward.size(), current);
  }

  void assign(const std::vector<int32_t>& backward, size_t begin, size_t end, int32_t stage) {
    auto& nodes = result_.stages[index(stage)].backward;
    for (size_t i = begin; i < end; ++i) {
      nodes.push_back(backward[i]);
      for (const int32_t v : node(backward[i]).inputs) pin_if_foreign(v, stage);
    }
  }

  /// What a stage's backward part reads and neither it nor its neighbours hand on must stay.
  void pin_if_foreign(int32_t v, int32_t stage) {
    if (!p_.is_forward(producer(index(v)))) return;
    const int32_t own = stage_of_[index(producer(index(v)))];
    const auto& input = result_.stages[index(stage)].input;
    if (own != stage && std::ranges::find(input, v) == input.end()) {
      result_.pinned[index(v)] = true;
      for (auto& s : result_.stages) {
        std::erase(s.input, v);
        std::erase(s.output, v);
      }
    }
  }

  const GraphProblem& p_;
  const Sequence& order_;
  std::vector<int32_t> last_read_;  // by forward nodes
  std::vector<bool> counted_;
  std::vector<int32_t> stage_of_;  // forward nodes
  Stages result_;
};

}  // namespace

Stages find_stages(const GraphProblem& problem, const Sequence& order, size_t limit) {
  return Cutting(problem, order).run(limit);
}

}  // namespace sesame::remat
