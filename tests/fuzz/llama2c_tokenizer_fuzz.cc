#include "sesame/text/files/llama2c_vocabulary.h"
#include "sesame/text/tokenizer.h"
#include "tests/fuzz/llama2c_vocabulary.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/tokenizer_use.h"

namespace sesame::fuzz {
namespace {

constexpr int32_t kWords = 6;

/// What follows the 259 tokens that every such file has; a file of its own where that is longer.
void parse(std::string_view input) {
  constexpr size_t kOwnFile = 3000;
  const std::string file = input.size() > kOwnFile ? std::string(input) : llama2c_vocabulary({}) + std::string(input);
  use_tokenizer(Tokenizer(read_llama2c(scratch_file("tokenizer.bin", file), 3 + 256 + kWords)), input);
}

std::vector<std::string> seeds() {
  const std::string whole = llama2c_vocabulary({" ", "a", " a", "b", "aa", " aa"});
  std::string long_token = llama2c_vocabulary({"a", "aa", "b", "c", "d", std::string(300'000, 'a')});
  long_token.replace(0, sizeof(int32_t), bytes_of(INT32_MAX));
  return {whole.substr(llama2c_vocabulary({}).size()), whole, long_token};
}

const Target target("llama2c_tokenizer", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
