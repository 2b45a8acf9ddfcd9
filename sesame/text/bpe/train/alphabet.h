#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/train/token_list.h"
#include "sesame/text/words/word_span.h"

namespace sesame {

/// Which characters become symbols, and in which order they get ids.
struct AlphabetRules {
  std::vector<uint32_t> initial;   // code points, in the alphabet whether they occur or not
  std::optional<uint64_t> limit;   // as many characters at most, the most frequent ones
  double coverage = 1.0;           // share of the text that the most frequent characters must reach
  bool by_frequency = false;       // ids: `initial` first, then by falling frequency; else by code point
  std::string continuing_prefix;   // of symbols that do not begin a word
  std::string last_suffix;         // of the last symbol of a word
  bool unknown_separates = false;  // a character outside the alphabet stays between its neighbours; else it is
                                   // dropped, and they meet
};

/// The characters of words as symbols. What is not UTF-8 is U+FFFD.
class Alphabet {
 public:
  /// Adds the alphabet to `tokens`, which may hold other tokens. Prefixed and suffixed characters get their ids by
  /// first occurrence in the sorted words.
  Alphabet(std::span<const WordCount> words, const AlphabetRules& rules, TokenList& tokens, ThreadPool& threads);

  /// The symbols of a word (see Symbolize).
  size_t symbolize(std::string_view word, uint32_t* symbols) const;

 private:
  static constexpr uint32_t absent = 0xFFFFFFFF;
  /// By the place of a character in its word: bit 0 continues it, bit 1 ends it.
  static constexpr uint32_t continues = 1;
  static constexpr uint32_t ends = 2;

  void add_forms(std::span<const WordCount> words, TokenList& tokens);

  template <typename Visit>
  void for_each_character(std::string_view word, Visit visit) const;

  const AlphabetRules& rules_;
  uint32_t forms_mask_;                     // the bits that matter
  std::vector<std::vector<uint32_t>> ids_;  // by form and code point
  std::vector<bool> in_alphabet_;           // by code point
};

}  // namespace sesame
