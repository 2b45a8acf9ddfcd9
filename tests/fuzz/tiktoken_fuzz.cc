#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/tokenizer.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tokenizer_use.h"

namespace sesame::fuzz {
namespace {

void parse(std::string_view input) {
  const auto path = scratch_file("a.tiktoken", input);
  use_tokenizer(Tokenizer(read_tiktoken(path, {"", SplitPattern::cl100k, {{"<|endoftext|>", 100}}})), input);
}

std::vector<std::string> seeds() {
  return {"YQ== 0\nYg== 1\nYWI= 2\nYWFi 3\nIA== 4\nIGE= 5\nYWE= 6\nYWFhYQ== 7\n", "AA== 0\r\n/w== 1\r\nAP8= 2",
          "YQ== 0\nYWE= 1\nYWFhYQ== 2\n" + repeated("YWFh", 200'000) + " 3\n"};
}

const Target target("tiktoken", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
