#include "sesame/text/files/vocab_and_merges.h"
#include "sesame/text/tokenizer.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tokenizer_use.h"

namespace sesame::fuzz {
namespace {

/// vocab.json up to the first line break, then merges.txt.
void parse(std::string_view input) {
  const size_t cut = std::min(input.find('\n'), input.size());
  const auto vocab = scratch_file("vocab.json", input.substr(0, cut));
  const auto merges = scratch_file("merges.txt", input.substr(std::min(cut + 1, input.size())));
  use_tokenizer(Tokenizer(read_vocab_and_merges(vocab, merges, SplitPattern::gpt2, {})), input);
}

std::vector<std::string> seeds() {
  return {"{\"a\":0,\"b\":1,\"ab\":2,\"Ġ\":3,\"Ġab\":4,\"aa\":5}\n#version: 0.2\na b\nĠ ab\na a\n"};
}

const Target target("vocab_and_merges", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
