#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sesame/text/tokenizer.h"

namespace sesame {

/// A stretch of text that two tokenizers cut in different places: both cut before and behind it, and nowhere inside at
/// the same place.
struct TokenizerDifference {
  std::string text;
  std::vector<std::string> first;  // the pieces of each
  std::vector<std::string> second;
  uint64_t times = 0;
};

struct TokenizerComparison {
  uint64_t bytes = 0;
  uint64_t documents = 0;
  uint64_t documents_with_same_pieces = 0;
  uint64_t first_tokens = 0;
  uint64_t second_tokens = 0;
  uint64_t first_boundaries = 0;  // places inside the texts where a tokenizer cuts
  uint64_t second_boundaries = 0;
  uint64_t shared_boundaries = 0;
  uint64_t documents_with_same_ids = 0;
  std::vector<TokenizerDifference> differences;  // by falling times; those that fit in memory's share, see add()
};

/// Holds two tokenizers against each other, document by document, by where they cut the original text (their ids mean
/// nothing to each other).
class CompareTokenizers {
 public:
  CompareTokenizers(Tokenizer first, Tokenizer second);

  /// Counts one document. At most a million different stretches are kept.
  void add(std::string_view document);

  /// What was seen so far, with the `most` differences that are most frequent.
  [[nodiscard]] TokenizerComparison result(size_t most) const;

 private:
  void add_difference(std::string_view text, std::vector<std::string> first, std::vector<std::string> second);

  Tokenizer first_;
  Tokenizer second_;
  TokenizerComparison total_;
  std::unordered_map<std::string, TokenizerDifference> differences_;
};

}  // namespace sesame
