#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sesame::fuzz {

/// A llama2.c tokenizer.bin: the three control tokens, the bytes, then `words` with falling scores.
std::string llama2c_vocabulary(const std::vector<std::string>& words);

}  // namespace sesame::fuzz
