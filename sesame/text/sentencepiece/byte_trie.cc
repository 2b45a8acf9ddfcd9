#include "sesame/text/sentencepiece/byte_trie.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/files/image.h"
#include "sesame/text/sentencepiece/double_array.h"

namespace sesame {
namespace {

constexpr uint32_t most_places = uint32_t{1} << 24;

}  // namespace

ByteTrie::ByteTrie() : ByteTrie(std::vector<std::pair<std::string_view, int32_t>>()) {}

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, int32_t>> strings) {
  std::sort(strings.begin(), strings.end());
  const DoubleArrayPlaces places = place_trie(strings, false);
  if (places.size > most_places) fail("the pieces of the vocabulary are too long or too many for a trie");
  std::vector<Unit> units(places.size);
  for (const auto& [place, label] : free_labels(places)) units[place].base_and_label = label;
  for (const DoubleArrayPlaces::Node& node : places.nodes)
    units[node.place] = {node.base << 8 | node.label, node.value};
  units_ = FlatArray<Unit>(std::move(units));
}

ByteTrie::ByteTrie(const ImageReader& image, std::string_view name, int32_t values) : units_(image.get<Unit>(name)) {
  if (units_.empty() || units_.size() % 256 != 0) image.fail_section(name, "its size is no multiple of 256");
  for (const Unit& unit : units_) {
    // The children of a node are in one block of 256 with its base.
    if (unit.base_and_label >> 8 >= units_.size()) image.fail_section(name, "a node's children are outside of it");
    if (unit.value >= values) image.fail_section(name, "a value is too large");
  }
}

void ByteTrie::write(ImageWriter& image, std::string_view name) const { image.add(name, units_); }

}  // namespace sesame
