#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sesame/base/huge_buffer.h"
#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/block_builder.h"
#include "sesame/word_vectors/train/row_view.h"
#include "sesame/word_vectors/train/subwords.h"

namespace sesame {

/// The inputs of blocks where a word has n-grams: for each place in the text a row of its own that is composed of the
/// rows of the word and its n-grams, their mean (skip-gram) or their sum (CBOW). It is composed once and stays in a
/// ring while blocks use it; when the last of them is done, what the steps have moved it by is added in full to each
/// of the rows (fastText's rule).
class SubwordInputs {
 public:
  /// Keeps references to the index and to the view of the input table, whose n-grams begin at row `words`.
  SubwordInputs(const VectorOptions& options, const SubwordIndex& subwords, int64_t words, RowView& table);

  /// Appends the rows of words and n-grams at the places that no block had before.
  void list_fresh(const BlockPlan& plan, std::vector<float*>& rows);
  /// Writes the composed rows of the block's inputs to `rows` and of how many rows each consists to `counts`.
  void compose(const BlockPlan& plan, std::vector<float*>& rows, std::vector<float>& counts);
  /// After a step on the rows of compose(): gives back what no block from place `next_first` on needs.
  void give_back(const BlockPlan& plan, int64_t next_first);
  /// Gives back everything: afterwards the table holds all that was learned.
  void give_back_all();

 private:
  struct Place {
    std::vector<float*> parts;  // the rows of the word and its n-grams
  };
  // The row that steps move, the same as it was composed or as the last step left it, and what it has moved by.
  [[nodiscard]] size_t slot(int64_t place) const noexcept { return static_cast<size_t>(place) & (places_.size() - 1); }
  [[nodiscard]] float* now(int64_t place) noexcept { return ring_.row(3 * static_cast<int64_t>(slot(place))); }
  [[nodiscard]] float* before(int64_t place) noexcept { return ring_.row(3 * static_cast<int64_t>(slot(place)) + 1); }
  [[nodiscard]] float* moved(int64_t place) noexcept { return ring_.row(3 * static_cast<int64_t>(slot(place)) + 2); }
  void follow(int64_t place);
  void append_parts(int32_t word, std::vector<float*>& rows);
  void load(int64_t place, int32_t word);
  void give_back_place(int64_t place);

  const SubwordIndex* subwords_;
  int32_t words_;
  int64_t dim_;
  bool sums_;  // CBOW
  RowView* table_;
  RowTable ring_;  // [3 * places, dim]: now(), before() and moved() of each place
  std::vector<Place> places_;
  int64_t first_ = 0, last_ = 0;  // places in the ring
  int64_t listed_ = 0;            // places before it have been fresh once
};

}  // namespace sesame
