#pragma once

#include <memory>
#include <string_view>

#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The encoder of BERT's pipeline: BertNormalizer or no normalizer, BertPreTokenizer, WordPiece. One pass normalizes
/// the text and finds its words (scan_words.h), a cache knows the pieces of the words that were met before, a trie
/// finds those of the others. Null for other pipelines, and where the vocabulary has no unknown token.
std::unique_ptr<TextEncoder> make_bert_encoder(const TokenizerSpec& spec, std::string_view origin);

}  // namespace sesame
