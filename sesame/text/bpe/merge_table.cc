#include "sesame/text/bpe/merge_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/files/image.h"

namespace sesame {

MergeTable::MergeTable(std::span<const MergeRule> rules, std::span<const uint32_t> ranks, std::string_view origin) {
  if (rules.size() >= none) {
    fail(fmt::format("{}: {} merges, Sesame supports at most {}", origin, rules.size(), none - 1));
  }
  std::vector<uint64_t> slots(std::bit_ceil(rules.size() * 2 + 2 * bucket_size), empty);
  set_bucket_count(slots.size() / bucket_size);
  for (uint32_t number = 0; number < rules.size(); ++number) {
    const MergeRule& rule = rules[number];
    for (const int32_t id : {rule.left, rule.right, rule.merged}) {
      if (id < 0 || id > max_token_id) {
        fail(fmt::format("{}: the id {} of a merge is not from 0 to {}", origin, id, max_token_id));
      }
    }
    const uint64_t pair = pack(rule.left, rule.right);
    size_t i = bucket_size * bucket(pair);
    while (slots[i] != empty && slots[i] >> rule_bits != pair) i = (i + 1) & (slots.size() - 1);
    slots[i] = (pair << rule_bits) | number;
  }
  slots_ = FlatArray<uint64_t>::in_huge_pages(slots);
  rules_ = FlatArray<MergeRule>::in_huge_pages(rules);
  const bool ties = std::adjacent_find(ranks.begin(), ranks.end()) != ranks.end();
  if (ties) ranks_ = std::vector<uint32_t>(ranks.begin(), ranks.end());
}

void MergeTable::set_bucket_count(size_t count) noexcept {
  mask_ = count - 1;
  shift_ = 64 - std::countr_zero(count);
}

MergeTable::MergeTable(const ImageReader& image, std::string_view prefix) {
  const std::string slots_name = fmt::format("{}.pairs", prefix);
  const std::string rules_name = fmt::format("{}.rules", prefix);
  const std::string ranks_name = fmt::format("{}.ranks", prefix);
  slots_ = image.get<uint64_t>(slots_name);
  rules_ = image.get<MergeRule>(rules_name);
  ranks_ = image.get<uint32_t>(ranks_name);
  if (slots_.size() < 2 * bucket_size || !std::has_single_bit(slots_.size())) {
    image.fail_section(slots_name, "its size is no power of two");
  }
  const auto is_id = [](int32_t id) { return static_cast<uint32_t>(id) <= static_cast<uint32_t>(max_token_id); };
  const auto has_ids = [&](const MergeRule& rule) {
    return is_id(rule.left) + is_id(rule.right) + is_id(rule.merged) == 3;
  };
  if (!all_pass(rules_.span(), has_ids)) image.fail_section(rules_name, "an id is outside the vocabulary");
  const auto rule_count = static_cast<uint32_t>(rules_.size());
  const auto is_slot = [&](uint64_t slot) {
    return slot == empty || (static_cast<uint32_t>(slot) & none) < rule_count;
  };
  if (!all_pass(slots_.span(), is_slot)) image.fail_section(slots_name, "it names a rule too many");
  bool ends = false;
  for (size_t i = bucket_size - 1; i < slots_.size() && !ends; i += bucket_size) ends = slots_[i] == empty;
  // A search ends at a bucket that is not full.
  if (!ends) image.fail_section(slots_name, "it is full");
  if (!ranks_.empty() && ranks_.size() != rules_.size()) image.fail_section(ranks_name, "it has another size");
  set_bucket_count(slots_.size() / bucket_size);
}

void MergeTable::write(ImageWriter& image, std::string_view prefix) const {
  image.add(fmt::format("{}.pairs", prefix), slots_);
  image.add(fmt::format("{}.rules", prefix), rules_);
  image.add(fmt::format("{}.ranks", prefix), ranks_);
}

}  // namespace sesame
