#include "sesame/text/bpe/train/merge_pass.h"

#include <algorithm>

namespace sesame {
namespace {

constexpr uint32_t id_bits = SymbolText::id_bits;

uint32_t length_at(const uint32_t* slots, uint32_t p) {
  return (slots[p] & SymbolText::is_long) != 0 ? slots[p + 1] & id_bits : 1;
}

/// Where the symbol begins that ends before `p`; there is one.
uint32_t begin_before(const uint32_t* slots, uint32_t p) {
  const uint32_t last = slots[p - 1];
  return (last & SymbolText::is_inner) != 0 ? p - (last & id_bits) : p - 1;
}

int32_t id_at(const uint32_t* slots, uint32_t p) { return static_cast<int32_t>(slots[p] & id_bits); }

bool is_symbol(const uint32_t* slots, uint32_t p, int32_t id) {
  return (slots[p] & ~SymbolText::is_long) == static_cast<uint32_t>(id);
}

/// How many symbols equal to the one at `p` stand side by side, up to it or from it on.
uint32_t run_up_to(const uint32_t* slots, uint32_t p) {
  const int32_t id = id_at(slots, p);
  uint32_t run = 1;
  while (slots[p - 1] != SymbolText::end) {
    p = begin_before(slots, p);
    if (!is_symbol(slots, p, id)) break;
    ++run;
  }
  return run;
}

uint32_t run_from(const uint32_t* slots, uint32_t p) {
  const int32_t id = id_at(slots, p);
  uint32_t run = 0;
  for (; slots[p] != SymbolText::end && is_symbol(slots, p, id); p += length_at(slots, p)) ++run;
  return run;
}

}  // namespace

MergePass::MergePass(size_t ids) {
  before.by_id.resize(ids);
  behind.by_id.resize(ids);
}

void MergePass::Side::deliver() {
  for (const Place& place : places) {
    Neighbour& neighbour = by_id[static_cast<size_t>(place.id)];
    if (neighbour.positions != nullptr) *neighbour.positions++ = place.position;
  }
  places.clear();
}

void MergePass::Side::clear() {
  for (const int32_t id : ids) by_id[static_cast<size_t>(id)] = {};
  ids.clear();
}

void MergePass::run(SymbolText& text, std::span<const uint32_t> positions, int32_t left, int32_t right, int32_t merged,
                    bool disjoint_runs) {
  constexpr size_t ahead = 16;
  uint32_t* const slots = text.slots();
  correction = {};
  for (size_t i = 0; i < positions.size(); ++i) {
    if (i + ahead < positions.size()) __builtin_prefetch(&slots[positions[i + ahead]], 1);
    const uint32_t p = positions[i];
    if (!is_symbol(slots, p, left)) continue;
    const uint32_t q = p + length_at(slots, p);
    if (!is_symbol(slots, q, right)) continue;
    const uint32_t next = q + length_at(slots, q);
    const int64_t weight = text.count_at(p);

    if (slots[p - 1] != SymbolText::end) {
      const uint32_t previous = begin_before(slots, p);
      const int32_t x = id_at(slots, previous);
      before.add(x, previous, weight);
      if (disjoint_runs && x == left && run_up_to(slots, p) % 2 != 0) correction.left_kept += weight;
      if (disjoint_runs && x == merged && run_up_to(slots, previous) % 2 == 0) correction.merged_kept += weight;
    }
    if (slots[next] != SymbolText::end) {
      const int32_t y = id_at(slots, next);
      behind.add(y, p, weight);
      if (disjoint_runs && y == right && run_from(slots, q) % 2 != 0) correction.right_kept += weight;
    }
    slots[q] = SymbolText::is_inner;
    slots[p] = static_cast<uint32_t>(merged) | SymbolText::is_long;
    slots[p + 1] = slots[next - 1] = SymbolText::is_inner | (next - p);
  }
}

bool stands_at(const SymbolText& text, uint32_t position, int32_t left, int32_t right) noexcept {
  const uint32_t* const slots = text.slots();
  return is_symbol(slots, position, left) && is_symbol(slots, position + length_at(slots, position), right);
}

bool in_one_word(const SymbolText& text, uint32_t first, uint32_t second) noexcept {
  const uint32_t* const slots = text.slots();
  return std::find(slots + first, slots + second, SymbolText::end) == slots + second;
}

}  // namespace sesame
