#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/base/huge_buffer.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/words/word_span.h"

namespace sesame {

/// Writes the first symbols of a word, its bytes or its characters, to `symbols`, which has room for one per byte;
/// returns how many. Called from several threads at once.
using Symbolize = FunctionRef<size_t(std::string_view word, uint32_t* symbols)>;

/// Distinct words as one array of slots in which neighbouring symbols are replaced by one, in constant time and without
/// moving what stands behind. A symbol of one slot is its id. A longer one is its id with `is_long` in the first slot;
/// the second slot and the last one hold its length, marked `is_inner`, as are those between. Slots of value `end`
/// stand before and behind each word.
class SymbolText {
 public:
  static constexpr uint32_t end = 0xFFFFFFFF;
  static constexpr uint32_t is_long = uint32_t{1} << 31;
  static constexpr uint32_t is_inner = uint32_t{1} << 30;
  static constexpr uint32_t id_bits = is_inner - 1;

  /// Words of fewer than two symbols are left out. `by_count`: words lie by falling counts, which keeps what is merged
  /// most close together; else they lie as they are given. Throws Error where the words do not fit into 2^32 slots.
  SymbolText(std::span<const WordCount> words, Symbolize symbolize, bool by_count, ThreadPool& threads);

  [[nodiscard]] uint32_t* slots() noexcept { return slots_; }
  [[nodiscard]] const uint32_t* slots() const noexcept { return slots_; }
  /// Positions of symbols are in [1, size).
  [[nodiscard]] uint32_t size() const noexcept { return size_; }

  [[nodiscard]] uint32_t length_at(uint32_t position) const noexcept {
    return (slots_[position] & is_long) != 0 ? slots_[position + 1] & id_bits : 1;
  }
  [[nodiscard]] int32_t id_at(uint32_t position) const noexcept {
    return static_cast<int32_t>(slots_[position] & id_bits);
  }

  /// How often the word occurs that holds a position.
  [[nodiscard]] int64_t count_at(uint32_t position) const noexcept {
    uint32_t run = runs_of_blocks_[position / block];
    while (run_begins_[run + 1] <= position) ++run;
    return run_counts_[run];
  }

  /// Symbols of all occurrences of the words together, about.
  [[nodiscard]] uint64_t occurrences() const noexcept;

  [[nodiscard]] uint64_t memory_bytes() const noexcept;

 private:
  static constexpr uint32_t block = 16;
  void index_counts(std::span<const WordCount> words, std::span<const uint32_t> order,
                    std::span<const uint32_t> begins);

  HugeBuffer memory_;
  uint32_t* slots_ = nullptr;
  uint32_t size_ = 0;
  // Runs of words of equal count, and the run at the begin of each block of positions.
  std::vector<uint32_t> run_begins_;
  std::vector<int64_t> run_counts_;
  std::vector<uint32_t> runs_of_blocks_;
};

}  // namespace sesame
