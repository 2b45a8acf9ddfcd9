#include "sesame/passes/remat/chain_sequence.h"

#include <algorithm>

#include "sesame/passes/remat/sequence_writer.h"

namespace sesame::remat {
namespace {

size_t index(int32_t i) { return static_cast<size_t>(i); }

/// Carries out the moves of a chain's plan on the nodes.
class ChainRun {
 public:
  ChainRun(const GraphProblem& p, const Stages& stages, const ChainOfStages& chain)
      : p_(p), stages_(stages), chain_(chain), writer_(p.problem), visited_(stages.stages.size(), false) {}

  Sequence run(const std::vector<ChainMove>& moves) {
    for (const ChainMove& move : moves) {
      const Stages::Stage& stage = stages_.stages[index(move.stage)];
      switch (move.kind) {
        case ChainMove::Kind::forward_drop:
          forward(move.stage, {});
          for (const int32_t v : stage.input) forget(v);
          break;
        case ChainMove::Kind::forward_keep:
          forward(move.stage, {});
          break;
        case ChainMove::Kind::forward_save:
          forward(move.stage, chain_.options[index(move.stage)][index(move.option)].saved);
          break;
        case ChainMove::Kind::backward:
          backward(stage, chain_.options[index(move.stage)][index(move.option)]);
          break;
      }
    }
    return writer_.finish();
  }

 private:
  void forward(int32_t number, const std::vector<int32_t>& saved) {
    const Stages::Stage& stage = stages_.stages[index(number)];
    if (!visited_[index(number)]) first_visit(stage);
    visited_[index(number)] = true;
    std::vector<int32_t> values = stage.output;
    values.insert(values.end(), saved.begin(), saved.end());
    writer_.compute(values);
    forget_all(stage, values);
  }

  void backward(const Stages::Stage& stage, const StageOption& option) {
    for (const int32_t n : stage.backward) {
      writer_.run(n);
      if (option.thrift != Thrift::none) forget_all(stage, option.saved, option.thrift);
    }
    forget_all(stage, {});
    for (const int32_t v : stage.output) forget(v);
  }

  /// What must run in any case, or is needed far from here.
  void first_visit(const Stages::Stage& stage) {
    for (int32_t n = stage.first; n < stage.last; ++n) {
      const Problem::Node& node = p_.problem.nodes[index(n)];
      const bool stays = std::ranges::any_of(node.outputs, [&](int32_t v) { return stages_.pinned[index(v)]; });
      if (node.once || stays) writer_.run(n);
    }
  }

  /// Forgets what the stage's forward part made, but for `kept`.
  void forget_all(const Stages::Stage& stage, const std::vector<int32_t>& kept, Thrift thrift = Thrift::everything) {
    for (int32_t n = stage.first; n < stage.last; ++n) {
      if (!forgotten_after_use(p_, n, thrift)) continue;
      for (const int32_t v : p_.problem.nodes[index(n)].outputs) {
        if (std::ranges::find(kept, v) == kept.end()) forget(v);
      }
    }
  }

  void forget(int32_t v) {
    if (!stages_.pinned[index(v)]) writer_.forget(v);
  }

  const GraphProblem& p_;
  const Stages& stages_;
  const ChainOfStages& chain_;
  SequenceWriter writer_;
  std::vector<bool> visited_;
};

}  // namespace

Sequence sequence_of(const GraphProblem& problem, const Stages& stages, const ChainOfStages& chain,
                     const std::vector<ChainMove>& moves) {
  return ChainRun(problem, stages, chain).run(moves);
}

}  // namespace sesame::remat
