#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer.h"

namespace sesame {

/// What a tokenizer makes of a text.
struct TextStatistics {
  uint64_t bytes = 0;
  uint64_t characters = 0;  // code points
  uint64_t words = 0;       // runs of what is not white space; scripts without spaces have few
  uint64_t tokens = 0;
  uint64_t unknown = 0;  // tokens that stand for what the vocabulary lacks

  /// Tokens a word: 1 is the least that is possible.
  [[nodiscard]] double fertility() const {
    return words == 0 ? 0 : static_cast<double>(tokens) / static_cast<double>(words);
  }
  /// Compression: the higher the better.
  [[nodiscard]] double bytes_per_token() const {
    return tokens == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(tokens);
  }
  [[nodiscard]] double characters_per_token() const {
    return tokens == 0 ? 0 : static_cast<double>(characters) / static_cast<double>(tokens);
  }

  TextStatistics& operator+=(const TextStatistics& other);
};

TextStatistics text_statistics(const Tokenizer& tokenizer, std::string_view text);

struct NamedStatistics {
  std::string name;
  TextStatistics statistics;
};

/// The lines of a text by the script that most of their letters are of ("latin", "han", ...; "none" without letters),
/// the scripts by falling number of bytes.
std::vector<NamedStatistics> statistics_by_script(const Tokenizer& tokenizer, std::string_view text);

/// The same sentences in many languages (sample_languages.h).
std::vector<NamedStatistics> statistics_of_sample_languages(const Tokenizer& tokenizer);

}  // namespace sesame
