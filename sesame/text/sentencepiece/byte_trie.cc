#include "sesame/text/sentencepiece/byte_trie.h"

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/sentencepiece/double_array.h"

namespace sesame {
namespace {

constexpr uint32_t most_places = uint32_t{1} << 23;

}  // namespace

ByteTrie::ByteTrie() : ByteTrie(std::vector<std::pair<std::string_view, int32_t>>()) {}

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> strings, std::span<const double> weights) {
  std::sort(strings.begin(), strings.end());
  const DoubleArrayPlaces places = place_trie(strings, false, weights);
  if (places.size > most_places) fail("the pieces of the vocabulary are too long or too many for a trie");
  std::vector<uint32_t> units(places.size);
  std::vector<int32_t> values(places.size, -1);
  for (const auto& [place, label] : free_labels(places)) units[place] = label;
  for (const DoubleArrayPlaces::Node& node : places.nodes) {
    units[node.place] = node.base << base_shift | (node.value >= 0 ? value_bit : 0) | node.label;
    values[node.place] = node.value;
  }
  units_ = FlatArray<uint32_t>(std::move(units));
  values_ = FlatArray<int32_t>(std::move(values));
}

}  // namespace sesame
