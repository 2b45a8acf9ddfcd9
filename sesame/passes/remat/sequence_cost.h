#pragma once

#include <cstdint>
#include <vector>

#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

/// What simulate() computes, for a search that asks thousands of times: nothing is allocated after the first sequences,
/// an illegal sequence is an answer and not an error, and what was found on the way can be looked at.
class SequenceCost {
 public:
  SequenceCost(const Problem& problem, int64_t budget);

  struct Score {
    bool legal = false;
    double seconds = 0;
    int64_t peak_bytes = 0;
    double excess = 0;  // sum over positions of the bytes above the budget
  };
  Score evaluate(const Sequence& sequence);

  /// One value between the run that computed it and its last read.
  struct Life {
    int32_t value;
    int32_t first;
    int32_t last;   // the sequence's length where it outlasts the step
    int32_t reads;  // a result of the step is read once more at the end
  };
  /// A stretch of a life between two uses.
  struct Gap {
    int32_t value;
    int32_t from;  // positions of the uses
    int32_t to;    // the sequence's length: the end of the step
  };

  /// Of the latest legal evaluate():
  [[nodiscard]] const std::vector<int64_t>& timeline() const { return timeline_; }
  [[nodiscard]] const std::vector<Life>& lives() const { return lives_; }
  /// Per position: the number of the life of the first output of the node that runs there.
  [[nodiscard]] const std::vector<int32_t>& first_lives() const { return first_lives_; }
  /// Stretches that span at least one position, of values that can be computed again.
  [[nodiscard]] const std::vector<Gap>& gaps() const { return gaps_; }

  [[nodiscard]] const Problem& problem() const { return problem_; }
  [[nodiscard]] int64_t budget() const { return budget_; }

 private:
  struct Takeover {
    int32_t position;
    int32_t output_life;
    int32_t input_life;
  };

  bool run(int32_t position, int32_t number);
  bool close_at_end(int32_t length);
  void add_up(const Sequence& sequence);
  void use(int32_t life, int32_t position);
  void begin(int32_t value, int32_t position);

  const Problem& problem_;
  const int64_t budget_;
  std::vector<int32_t> current_;    // per value: its latest life, or -1
  std::vector<int32_t> runs_;       // per node
  std::vector<bool> recomputable_;  // per value
  std::vector<Life> lives_;
  std::vector<int32_t> first_lives_;
  std::vector<Gap> gaps_;
  std::vector<Takeover> takeovers_;
  std::vector<uint8_t> given_;   // per life: its bytes were taken over
  std::vector<uint8_t> placed_;  // per life: it took over bytes
  std::vector<int64_t> timeline_;
  int32_t latest_once_ = -1;
};

}  // namespace sesame::remat
