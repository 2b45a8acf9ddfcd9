#include <string>

#include "sesame/base/file.h"
#include "sesame/word_vectors/words/vocabulary.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

/// A vocabulary that was read finds each of its words, and reads back as the same when it is written.
void parse(std::string_view input) {
  const Vocabulary vocabulary = read_vocabulary(scratch_file("vocabulary.txt", input));
  uint64_t total = 0;
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    require(vocabulary.find(vocabulary.word(id)) == id, "a vocabulary finds its words");
    total += vocabulary.count(id);
  }
  require(total == vocabulary.total(), "the counts of a vocabulary add up");
  const std::filesystem::path copy = scratch_directory() / "vocabulary_copy.txt";
  write_vocabulary(copy, vocabulary);
  const Vocabulary again = read_vocabulary(copy);
  require(again.size() == vocabulary.size() && again.counts() == vocabulary.counts(), "a vocabulary reads back");
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    require(again.word(id) == vocabulary.word(id), "words read back");
  }
}

std::vector<std::string> seeds() {
  return {"</s> 3\nthe 1099511627776\na 7\n\xE4\xB8\xAD\xE6\x96\x87 7\n\xFF\x01 1\n",
          "a 1\r\nb 0",
          "a 1\na 1\n",
          "a 18446744073709551615\nb 18446744073709551615\n",
          "a\tb 1\n",
          repeated("long", 100) + " 5\n"};
}

const Target target("vocabulary_file", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
