#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "sesame/base/error.h"
#include "sesame/passes/remat/chain.h"

namespace sesame::remat {
namespace {

/// Carries out moves one by one and counts what is held.
class ChainExecution {
 public:
  explicit ChainExecution(const Chain& chain)
      : chain_(chain),
        held_(chain.stages.size() + 1, false),
        saved_under_(chain.stages.size(), kNotSaved),
        awaited_(static_cast<int32_t>(chain.stages.size()) - 1) {
    held_[0] = true;
    bytes_ = peak_ = activation(0);
  }

  void carry_out(const ChainMove& move) {
    if (move.stage < 0 || index(move.stage) >= chain_.stages.size()) refuse(move, "there is no such stage");
    if (!input_present(move.stage)) refuse(move, "its input is not there");
    switch (move.kind) {
      case ChainMove::Kind::forward_drop:
      case ChainMove::Kind::forward_keep:
        return forward(move);
      case ChainMove::Kind::forward_save:
        return save(move);
      case ChainMove::Kind::backward:
        return backward(move);
    }
  }

  int64_t finish() const {
    if (awaited_ >= 0) {
      fail(fmt::format("rematerialisation: the moves of a chain end before the backward part of stage {}", awaited_));
    }
    return peak_;
  }

 private:
  static constexpr int32_t kNotSaved = -1;

  static size_t index(int32_t i) { return static_cast<size_t>(i); }

  [[noreturn]] static void refuse(const ChainMove& move, std::string_view why) {
    static constexpr std::string_view kNames[] = {"forward_drop", "forward_keep", "forward_save", "backward"};
    fail(fmt::format("rematerialisation: {} of stage {} is not possible: {}", kNames[static_cast<size_t>(move.kind)],
                     move.stage, why));
  }

  [[nodiscard]] int64_t activation(int32_t i) const {
    return index(i) < chain_.stages.size() ? chain_.stages[index(i)].input_bytes : chain_.output_bytes;
  }

  [[nodiscard]] bool input_present(int32_t stage) const {
    return held_[index(stage)] || (stage > 0 && saved_under_[index(stage) - 1] != kNotSaved);
  }

  [[nodiscard]] const Chain::Option& option_of(const ChainMove& move) const {
    const auto& options = chain_.stages[index(move.stage)].options;
    if (move.option < 0 || index(move.option) >= options.size()) refuse(move, "there is no such option");
    return options[index(move.option)];
  }

  /// `more` bytes beside what is held now.
  void reach(int64_t more) { peak_ = std::max(peak_, bytes_ + more); }

  void release_input(int32_t stage) {
    if (!held_[index(stage)]) return;
    held_[index(stage)] = false;
    bytes_ -= activation(stage);
  }

  void refuse_second_output(const ChainMove& move) const {
    if (held_[index(move.stage) + 1]) refuse(move, "its output is already held");
    if (saved_under_[index(move.stage)] != kNotSaved) refuse(move, "it was run for its backward part already");
    if (move.stage > awaited_) refuse(move, "its backward part is done");
  }

  void forward(const ChainMove& move) {
    refuse_second_output(move);
    reach(activation(move.stage + 1) + chain_.stages[index(move.stage)].forward_temporary);
    held_[index(move.stage) + 1] = true;
    bytes_ += activation(move.stage + 1);
    if (move.kind == ChainMove::Kind::forward_keep) return;
    if (!held_[index(move.stage)]) refuse(move, "its input belongs to what the stage before has saved");
    release_input(move.stage);
  }

  void save(const ChainMove& move) {
    refuse_second_output(move);
    const Chain::Option& option = option_of(move);
    reach(option.saved_bytes + option.forward_temporary);
    saved_under_[index(move.stage)] = move.option;
    bytes_ += option.saved_bytes;
  }

  void backward(const ChainMove& move) {
    const Chain::Option& option = option_of(move);
    if (saved_under_[index(move.stage)] != move.option) refuse(move, "it was not run forward under this option");
    if (move.stage != awaited_) refuse(move, fmt::format("the gradient has come as far as stage {}", awaited_));
    if (index(move.stage) + 1 == chain_.stages.size()) bytes_ += chain_.output_bytes;  // its gradient
    bytes_ += activation(move.stage);
    reach(option.backward_temporary);
    bytes_ -= option.saved_bytes + activation(move.stage + 1);
    saved_under_[index(move.stage)] = kNotSaved;
    release_input(move.stage);
    --awaited_;
  }

  const Chain& chain_;
  std::vector<bool> held_;            // per activation: in bytes of its own
  std::vector<int32_t> saved_under_;  // per stage: the option of its forward_save, until its backward
  int32_t awaited_;                   // the stage whose backward part comes next
  int64_t bytes_ = 0;
  int64_t peak_ = 0;
};

}  // namespace

int64_t chain_peak(const Chain& chain, const std::vector<ChainMove>& moves) {
  ChainExecution execution(chain);
  for (const ChainMove& move : moves) execution.carry_out(move);
  return execution.finish();
}

}  // namespace sesame::remat
