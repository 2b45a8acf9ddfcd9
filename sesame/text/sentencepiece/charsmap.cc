#include "sesame/text/sentencepiece/charsmap.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/sentencepiece/double_array.h"

namespace sesame {
namespace {

// A unit of Darts-clone (darts.h, class DoubleArrayUnit): the label of a node in bits 0-7 and 31, whether a value
// follows in bit 8, the offset to its children in bits 10-30, times 256 with bit 9. A value has bit 31 set.
constexpr uint32_t value_bit = uint32_t{1} << 31;
constexpr uint32_t leaf_bit = uint32_t{1} << 8;

uint32_t label_of(uint32_t unit) { return unit & (value_bit | 0xFF); }
uint32_t offset_of(uint32_t unit) { return (unit >> 10) << ((unit & (uint32_t{1} << 9)) >> 6); }
bool has_value(uint32_t unit) { return (unit & leaf_bit) != 0; }

constexpr uint32_t largest_offset = (uint32_t{1} << 21) - 1;

/// The trie's keys that `text` begins with, shortest first; `visit` returns whether to go on.
template <typename Visit>
void walk(const FlatArray<uint32_t>& units, std::string_view text, Visit&& visit) {
  uint32_t place = offset_of(units[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    place ^= byte;
    const uint32_t unit = units[place];
    if (byte == 0 || label_of(unit) != byte) return;
    place ^= offset_of(unit);
    if (has_value(unit) && !visit(i + 1, units[place] & ~value_bit)) return;
  }
}

}  // namespace

Charsmap::Charsmap(std::string_view bytes, std::string_view origin) {
  if (bytes.empty()) return;
  uint32_t trie_bytes = 0;
  if (bytes.size() > sizeof trie_bytes) std::memcpy(&trie_bytes, bytes.data(), sizeof trie_bytes);
  // Units come in blocks of 256, so that a child's place is in range whatever the byte is.
  if (trie_bytes == 0 || trie_bytes % 1024 != 0 || trie_bytes >= bytes.size() - sizeof trie_bytes) {
    fail(fmt::format("{}: precompiled_charsmap of {} bytes: its trie cannot have {} bytes", origin, bytes.size(),
                     trie_bytes));
  }
  std::vector<uint32_t> units(trie_bytes / sizeof(uint32_t));
  std::memcpy(units.data(), bytes.data() + sizeof trie_bytes, trie_bytes);
  bytes.remove_prefix(sizeof trie_bytes + trie_bytes);
  units_ = FlatArray<uint32_t>(std::move(units));
  replacements_ = FlatArray<char>(std::vector<char>(bytes.begin(), bytes.end()));
  check(origin);
  const uint32_t root = offset_of(units_[0]);
  for (uint32_t byte = 1; byte < 256; ++byte) begins_key_[byte] = label_of(units_[root ^ byte]) == byte ? 1 : 0;
}

void Charsmap::check(std::string_view origin) const {
  if (replacements_.back() != '\0') {
    fail(fmt::format("{}: precompiled_charsmap: the last replacement does not end", origin));
  }
  for (size_t i = 0; i < units_.size(); ++i) {
    const uint32_t unit = units_[i];
    if ((unit & value_bit) != 0) continue;  // a value: its node is the one to check
    const size_t children = i ^ offset_of(unit);
    if (children >= units_.size()) {
      fail(
          fmt::format("{}: precompiled_charsmap: unit {} of {} points to unit {}", origin, i, units_.size(), children));
    }
    if (has_value(unit) && (units_[children] & ~value_bit) >= replacements_.size()) {
      fail(fmt::format("{}: precompiled_charsmap: unit {} names a replacement at byte {} of {}", origin, i,
                       units_[children] & ~value_bit, replacements_.size()));
    }
  }
  if ((units_[0] & value_bit) != 0) fail(fmt::format("{}: precompiled_charsmap: its trie has no root", origin));
}

std::string_view Charsmap::replacement(uint32_t position) const noexcept { return replacements_.data() + position; }

Charsmap::Match Charsmap::longest_prefix(std::string_view text) const noexcept {
  if (units_.empty()) return {};
  size_t length = 0;
  uint32_t position = 0;
  walk(units_, text, [&](size_t found, uint32_t value) {
    length = found;
    position = value;
    return true;
  });
  if (length == 0) return {};
  return {length, replacement(position)};
}

Charsmap::Match Charsmap::shortest_prefix(std::string_view text) const noexcept {
  Match match;
  if (units_.empty()) return match;
  walk(units_, text, [&](size_t found, uint32_t value) {
    match = {found, replacement(value)};
    return false;
  });
  return match;
}

void Charsmap::for_each_rule(FunctionRef<void(std::string_view key, std::string_view replacement)> visit) const {
  if (units_.empty()) return;
  struct Step {
    uint32_t children;
    uint32_t next_byte;
  };
  std::vector<uint8_t> seen(units_.size());  // no unit is gone through twice, in whatever circles a file leads
  std::string key;
  std::vector<Step> path = {{offset_of(units_[0]), 1}};
  while (!path.empty()) {
    Step& step = path.back();
    if (step.next_byte == 256) {
      path.pop_back();
      if (!key.empty()) key.pop_back();
      continue;
    }
    const uint32_t byte = step.next_byte++;
    const uint32_t place = step.children ^ byte;
    const uint32_t unit = units_[place];
    if (label_of(unit) != byte || seen[place] != 0) continue;
    seen[place] = 1;
    key.push_back(static_cast<char>(byte));
    const uint32_t children = place ^ offset_of(unit);
    if (has_value(unit)) visit(key, replacement(units_[children] & ~value_bit));
    path.push_back({children, 1});
  }
}

std::string compile_charsmap(const CharsmapRules& rules) {
  if (rules.empty()) return {};
  std::map<std::string_view, int32_t> positions;
  for (const auto& [key, replacement] : rules) {
    if (key.empty() || key.find('\0') != std::string::npos || replacement.find('\0') != std::string::npos) {
      fail("a normalization rule has an empty key or holds a NUL");
    }
    positions.emplace(replacement, 0);
  }
  std::string replacements;
  for (auto& [replacement, position] : positions) {
    position = static_cast<int32_t>(replacements.size());
    replacements.append(replacement).push_back('\0');
  }
  std::vector<std::pair<std::string_view, int32_t>> keys;
  keys.reserve(rules.size());
  for (const auto& [key, replacement] : rules) keys.emplace_back(key, positions.at(replacement));

  const DoubleArrayPlaces places = place_trie(keys, true);
  if (places.size > largest_offset) fail("the normalization rules are too many for a precompiled_charsmap");
  std::vector<uint32_t> units(places.size);
  for (const DoubleArrayPlaces::Node& node : places.nodes) {
    uint32_t unit = node.label;
    if (node.base != 0) unit |= (node.place ^ node.base) << 10;
    if (node.value >= 0) {
      unit |= leaf_bit;
      units[node.base] = value_bit | static_cast<uint32_t>(node.value);
    }
    units[node.place] |= unit;
  }
  // Darts compares labels and nothing else.
  for (const auto& [place, label] : free_labels(places)) units[place] = label;
  std::string bytes(sizeof(uint32_t) * (1 + units.size()), '\0');
  const auto trie_bytes = static_cast<uint32_t>(units.size() * sizeof(uint32_t));
  std::memcpy(bytes.data(), &trie_bytes, sizeof trie_bytes);
  std::memcpy(bytes.data() + sizeof trie_bytes, units.data(), trie_bytes);
  return bytes += replacements;
}

}  // namespace sesame
