#include "sesame/word_vectors/train/subword_inputs.h"

#include <algorithm>
#include <bit>

#include "sesame/word_vectors/train/block_step.h"

namespace sesame {
namespace {

/// A block and the places before and behind it that its windows reach, in a power of two.
size_t ring_places(const VectorOptions& options) {
  return std::bit_ceil(static_cast<size_t>(options.block + 2 * options.window + 1));
}

}  // namespace

SubwordInputs::SubwordInputs(const VectorOptions& options, const SubwordIndex& subwords, int64_t words, RowView& table)
    : subwords_(&subwords),
      words_(static_cast<int32_t>(words)),
      dim_(options.dim),
      sums_(options.architecture == Architecture::cbow),
      table_(&table),
      ring_(3 * static_cast<int64_t>(ring_places(options)), options.dim),
      places_(ring_places(options)) {}

void SubwordInputs::append_parts(int32_t word, std::vector<float*>& rows) {
  const std::span<const int32_t> buckets = subwords_->of(word);
  const size_t before = rows.size();
  rows.resize(before + 1 + buckets.size());
  float** const parts = rows.data() + before;
  parts[0] = table_->row(word);
  for (size_t i = 0; i < buckets.size(); ++i) parts[i + 1] = table_->row(words_ + buckets[i]);
}

void SubwordInputs::list_fresh(const BlockPlan& plan, std::vector<float*>& rows) {
  for (const int32_t word : plan.ahead) __builtin_prefetch(subwords_->of(word).data());
  for (int64_t place = std::max(listed_, plan.first); place < plan.last(); ++place) {
    append_parts(plan.inputs[static_cast<size_t>(place - plan.first)], rows);
  }
  listed_ = std::max(listed_, plan.last());
}

void SubwordInputs::load(int64_t place, int32_t word) {
  std::vector<float*>& parts = places_[slot(place)].parts;
  parts.clear();
  append_parts(word, parts);
  sum_rows(std::span<float* const>(parts), dim_, sums_ ? 1 : 1 / static_cast<float>(parts.size()), now(place));
  std::copy_n(now(place), ring_.stride, before(place));
  std::fill_n(moved(place), ring_.stride, 0.0F);
}

void SubwordInputs::compose(const BlockPlan& plan, std::vector<float*>& rows, std::vector<float>& counts) {
  if (first_ == last_) first_ = last_ = plan.first;
  const auto word_at = [&](int64_t place) { return plan.inputs[static_cast<size_t>(place - plan.first)]; };
  while (first_ > plan.first) {
    --first_;
    load(first_, word_at(first_));
  }
  for (; last_ < plan.last(); ++last_) load(last_, word_at(last_));
  rows.clear();
  counts.clear();
  for (int64_t place = plan.first; place < plan.last(); ++place) {
    rows.push_back(now(place));
    counts.push_back(static_cast<float>(places_[slot(place)].parts.size()));
  }
}

/// Takes the last step into moved(). A sum of n rows that each move by d moves by n d, a mean by d as the step had it.
void SubwordInputs::follow(int64_t place) {
  const float others = sums_ ? static_cast<float>(places_[slot(place)].parts.size() - 1) : 0;
  float* const n = now(place);
  float* const b = before(place);
  float* const m = moved(place);
  for (int64_t d = 0; d < ring_.stride; ++d) {
    const float step = n[d] - b[d];
    m[d] += step;
    n[d] += others * step;
    b[d] = n[d];
  }
}

void SubwordInputs::give_back_place(int64_t place) {
  if (!sums_) follow(place);
  add_to_rows(places_[slot(place)].parts, dim_, moved(place));
}

void SubwordInputs::give_back(const BlockPlan& plan, int64_t next_first) {
  if (sums_) {
    for (int64_t place = plan.first; place < plan.last(); ++place) follow(place);
  }
  for (; first_ < std::min(next_first, last_); ++first_) give_back_place(first_);
}

void SubwordInputs::give_back_all() {
  for (; first_ < last_; ++first_) give_back_place(first_);
  first_ = last_ = listed_ = 0;
}

}  // namespace sesame
