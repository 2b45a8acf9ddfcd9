#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/explore/analogy.h"
#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

/// A word, or a sum of words: king - man + woman.
struct WordQuery {
  std::vector<std::string> positive;
  std::vector<std::string> negative;
};

/// Words with + or - between them, all between white space ("well-known" is a word); a word that follows another
/// without a sign is added. Throws usage Error for a sign without a word and for an empty line.
WordQuery parse_word_query(std::string_view line);

/// Words of the vocabulary that are spelt most like `word`, nearest first and frequent ones before rare ones: upper and
/// lower case alike, and at most a third of its characters (at least one) inserted, dropped, changed, or swapped with
/// their neighbours.
std::vector<std::string> near_spellings(const Vocabulary& vocabulary, std::string_view word, size_t count = 3);

/// The word's vector, that of its n-grams included. Throws Error with near spellings where there is none.
std::vector<float> require_vector(const WordVectors& vectors, std::string_view word);

/// The vectors of a query, and the ids of its words as excluded. Throws Error with near spellings for an unknown word.
AnalogyTerms resolve(const WordVectors& vectors, const WordQuery& query);

}  // namespace sesame
