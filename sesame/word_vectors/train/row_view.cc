#include "sesame/word_vectors/train/row_view.h"

#include <algorithm>
#include <cstring>

namespace sesame {
namespace {

/// Fibonacci hashing: neighbouring ids come to lie apart.
uint32_t scatter(int32_t id) { return static_cast<uint32_t>(id) * 0x9E3779B9u; }

size_t bytes_of(const RowTable& table) { return static_cast<size_t>(table.stride) * sizeof(float); }

}  // namespace

RowCopies::RowCopies(RowTable& table) : table_(&table) {}

size_t RowCopies::slot_of(int32_t id) const noexcept {
  const size_t mask = slots_.size() - 1;
  size_t i = scatter(id) >> 8 & mask;
  while (slots_[i].id != id && slots_[i].id >= 0) i = (i + 1) & mask;
  return i;
}

float* RowCopies::row(int32_t id) {
  if (2 * copied_.size() >= slots_.size()) grow();
  const size_t at = slot_of(id);
  if (slots_[at].id == id) {
    const auto i = static_cast<size_t>(slots_[at].copy);
    ++copied_[i].uses;
    return copy(i);
  }
  slots_[at] = {id, static_cast<int32_t>(copied_.size())};
  copied_.push_back({.id = id, .uses = 1, .slot = at});
  if (copied_.size() > slabs_.size() * kSlabRows) slabs_.emplace_back(kSlabRows * bytes_of(*table_));
  float* const added = copy(copied_.size() - 1);
  std::memcpy(added, table_->row(id), bytes_of(*table_));
  return added;
}

void RowCopies::grow() {
  slots_.assign(std::max<size_t>(2 * slots_.size(), kSlabRows), Slot{});
  for (size_t i = 0; i < copied_.size(); ++i) {
    copied_[i].slot = slot_of(copied_[i].id);
    slots_[copied_[i].slot] = {copied_[i].id, static_cast<int32_t>(i)};
  }
}

void RowCopies::subtract_table() {
  for (size_t i = 0; i < copied_.size(); ++i) {
    float* const moved = copy(i);
    const float* const row = table_->row(copied_[i].id);
    for (int64_t d = 0; d < table_->stride; ++d) moved[d] -= row[d];
  }
}

int32_t RowCopies::find(int32_t id) const noexcept {
  if (slots_.empty()) return -1;
  const Slot slot = slots_[slot_of(id)];
  return slot.id == id ? slot.copy : -1;
}

void RowCopies::clear() {
  for (const Copied& copied : copied_) slots_[copied.slot] = Slot{};
  copied_.clear();
}

void merge_copies(std::span<RowCopies* const> copies, RowTable& table, float rate, int64_t part, int64_t parts) {
  std::vector<const float*> moved;
  std::vector<float> sum(static_cast<size_t>(table.stride));
  for (size_t first = 0; first < copies.size(); ++first) {
    for (const RowCopies::Copied& copied : copies[first]->copied_) {
      if (copied.id % parts != part) continue;
      moved.clear();
      int64_t uses = 0;
      bool done = false;  // with an earlier one's
      for (size_t i = 0; i < copies.size() && !done; ++i) {
        const int32_t found = copies[i]->find(copied.id);
        if (found < 0) continue;
        done = i < first;
        moved.push_back(copies[i]->copy(static_cast<size_t>(found)));
        uses += copies[i]->copied_[static_cast<size_t>(found)].uses;
      }
      if (done) continue;
      const auto count = static_cast<float>(moved.size());
      const float scale = 1 / (1 + (count - 1) * std::min(1.0F, 2 * rate * static_cast<float>(uses) / count));
      std::copy_n(moved.front(), table.stride, sum.begin());
      for (const float* by : std::span(moved).subspan(1)) {
        for (int64_t d = 0; d < table.stride; ++d) sum[static_cast<size_t>(d)] += by[d];
      }
      float* const row = table.row(copied.id);
      for (int64_t d = 0; d < table.stride; ++d) row[d] += scale * sum[static_cast<size_t>(d)];
    }
  }
}

HotRows::HotRows(RowTable& table, int64_t first, int64_t count)
    : table_(&table),
      first_(first),
      count_(static_cast<uint64_t>(count)),
      now_(count, table.dim),
      before_(count, table.dim) {
  exchange();
}

void HotRows::exchange() {
  for (int64_t i = 0; i < static_cast<int64_t>(count_); ++i) {
    float* const row = table_->row(first_ + i);
    float* const now = now_.row(i);
    float* const before = before_.row(i);
    for (int64_t d = 0; d < table_->stride; ++d) {
      row[d] += now[d] - before[d];
      now[d] = before[d] = row[d];
    }
  }
}

RowView::RowView(RowTable& table, int64_t first_hot, int64_t hot)
    : base_(table.rows > 0 ? table.row(0) : nullptr), stride_(table.stride), copies_(table) {
  if (hot > 0) hot_ = HotRows(table, first_hot, hot);
}

RowView::RowView(RowTable& table, Private) : RowView(table) { private_ = true; }

}  // namespace sesame
