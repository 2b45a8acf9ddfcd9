#pragma once

#include <cstdint>
#include <vector>

namespace sesame {

/// Bytes [begin, end) of the text that was encoded.
struct TextSpan {
  uint64_t begin = 0;
  uint64_t end = 0;
  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

/// A text, or a pair of texts, as a model takes it: one entry a token in every vector. Hugging Face's Encoding.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;   // of the sequence, as the post-processor's template says
  std::vector<TextSpan> offsets;   // in the text of the token's sequence; empty spans for tokens that are added
  std::vector<int32_t> words;      // number of the pre-token in its sequence; -1 for tokens that are added
  std::vector<int32_t> sequences;  // 0 or 1: the text that the token is of; -1 for tokens that are added
  std::vector<uint8_t> special_tokens_mask;  // 1 where the post-processor or the padding added the token
  std::vector<uint8_t> attention_mask;       // 0 for padding
  std::vector<Encoding> overflowing;         // what truncation cut off, in windows that overlap by its stride
};

}  // namespace sesame
