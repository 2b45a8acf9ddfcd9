#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sesame/base/huge_buffer.h"
#include "sesame/word_vectors/train/tables.h"

namespace sesame {

/// Copies of the rows of a table that one thread works on: each is taken from the table when it is asked for first, and
/// what they have moved by is added to the table later. Copies stay where they are until clear().
class RowCopies {
 public:
  explicit RowCopies(RowTable& table);

  float* row(int32_t id);
  /// Turns every copy into what it has moved by. The table must not have changed since the last clear().
  void subtract_table();
  void clear();

 private:
  struct Slot {
    int32_t id = -1;
    int32_t copy = 0;
  };
  struct Copied {
    int32_t id = 0;
    int32_t uses = 0;  // how often it was asked for
    size_t slot = 0;
  };
  [[nodiscard]] float* copy(size_t i) const noexcept {
    return slabs_[i / kSlabRows].as<float>().data() + static_cast<int64_t>(i % kSlabRows) * table_->stride;
  }
  [[nodiscard]] size_t slot_of(int32_t id) const noexcept;
  /// Which copy is that of a row, or -1.
  [[nodiscard]] int32_t find(int32_t id) const noexcept;
  friend void merge_copies(std::span<RowCopies* const>, RowTable&, float, int64_t, int64_t);
  void grow();

  static constexpr size_t kSlabRows = 1024;
  RowTable* table_;
  std::vector<Slot> slots_;  // open addressing, a power of two, at most half full
  std::vector<Copied> copied_;
  std::vector<HugeBuffer> slabs_;
};

/// Adds to the table what the copies have moved by, after their subtract_table(): the rows of one of `parts` parts that
/// ids fall into, each of which a thread of its own may do. The result depends on the order of the copies, not on
/// parts.
///
/// A row that m copies have moved a little moves by the sum. One that each has moved often may have come as far as it
/// goes in each, and the sum would throw it m times too far; so it moves by sum / (1 + (m - 1) min(1, 2 uses rate)),
/// with the mean number of uses: from the sum (few uses) to the mean of the copies (many).
void merge_copies(std::span<RowCopies* const> copies, RowTable& table, float rate, int64_t part, int64_t parts);

/// Copies of a few neighbouring rows that are kept for long: of the most frequent ones, which threads would otherwise
/// take from each other's caches all the time.
class HotRows {
 public:
  HotRows() = default;
  HotRows(RowTable& table, int64_t first, int64_t count);

  [[nodiscard]] bool has(int32_t id) const noexcept { return static_cast<uint64_t>(id - first_) < count_; }
  float* row(int32_t id) noexcept { return now_.row(id - first_); }
  /// Adds to the table what the copies have moved by since the last time, and takes what others have added.
  void exchange();

 private:
  RowTable* table_ = nullptr;
  int64_t first_ = 0;
  uint64_t count_ = 0;
  RowTable now_;
  RowTable before_;
};

/// The rows of a table as one thread sees them.
class RowView {
 public:
  /// Rows of the table itself, but for the `hot` ones from `first_hot` on.
  explicit RowView(RowTable& table, int64_t first_hot = 0, int64_t hot = 0);
  /// Copies of them all.
  struct Private {};
  RowView(RowTable& table, Private);

  float* row(int32_t id) {
    if (hot_.has(id)) return hot_.row(id);
    if (private_) return copies_.row(id);
    return base_ + id * stride_;
  }
  [[nodiscard]] RowCopies& copies() noexcept { return copies_; }
  [[nodiscard]] HotRows& hot() noexcept { return hot_; }

 private:
  float* base_;
  int64_t stride_;
  bool private_ = false;
  HotRows hot_;
  RowCopies copies_;
};

}  // namespace sesame
