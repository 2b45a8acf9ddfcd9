#include "tests/fuzz/llama2c_vocabulary.h"

#include <fmt/format.h>

#include "tests/fuzz/target.h"

namespace sesame::fuzz {

std::string llama2c_vocabulary(const std::vector<std::string>& words) {
  std::vector<std::string> tokens = {"<unk>", "\n<s>\n", "\n</s>\n"};
  for (int byte = 0; byte < 256; ++byte) tokens.push_back(fmt::format("<0x{:02X}>", byte));
  tokens.insert(tokens.end(), words.begin(), words.end());
  std::string file = bytes_of(int32_t{16});
  float score = 0;
  for (const std::string& token : tokens) {
    file += bytes_of(score) + bytes_of(static_cast<int32_t>(token.size())) + token;
    score -= 1;
  }
  return file;
}

}  // namespace sesame::fuzz
