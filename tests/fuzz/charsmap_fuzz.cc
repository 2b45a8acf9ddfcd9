#include "sesame/text/sentencepiece/charsmap.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const Charsmap charsmap(input, "charsmap");
  for (const std::string_view text : {std::string_view("A\xef\xbc\xa1 o\xcc\x88\t"), input}) {
    for (size_t begin = 0; begin < std::min<size_t>(text.size(), 300); ++begin) {
      const std::string_view rest = text.substr(begin);
      const Charsmap::Match longest = charsmap.longest_prefix(rest);
      const Charsmap::Match shortest = charsmap.shortest_prefix(rest);
      require(longest.length <= rest.size() && shortest.length <= longest.length, "a match lies inside the text");
      require(shortest.length > 0 || longest.length == 0, "where one key matches there is a shortest one");
      require(longest.length == 0 || charsmap.begins_key(static_cast<uint8_t>(rest[0])), "a match begins a key");
    }
  }
  // Nodes can be reached in many ways: an ill-made trie may have more keys than it has bytes.
  uint64_t rules = 0;
  allow_error([&] {
    charsmap.for_each_rule([&](std::string_view key, std::string_view) {
      require(!key.empty() && ++rules <= input.size(), "a trie has at most as many keys as it has units");
    });
  });
}

std::vector<std::string> seeds() {
  return {compile_charsmap({{"A", "a"}, {"\xef\xbc\xa1", "a"}, {"o\xcc\x88", "ö"}, {"o", "0"}, {"\t", " "}, {"x", ""}}),
          compile_charsmap({{std::string(200, 'k'), std::string(300, 'v')}}), ""};
}

const Target target("charsmap", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
