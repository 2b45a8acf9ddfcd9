#pragma once

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Gives a spec the pre-tokenizer, post-processor and decoder that byte-level BPE vocabularies share.
inline void set_byte_level_stages(TokenizerSpec& spec, SplitPattern pattern) {
  pre_tokenizer::ByteLevel bytes;
  bytes.use_regex = pattern == SplitPattern::gpt2;
  if (!bytes.use_regex) {
    pre_tokenizer::Split split;
    split.pattern = {std::string(split_regex(pattern)), true};
    spec.pre_tokenizers.emplace_back(std::move(split));
  }
  spec.pre_tokenizers.emplace_back(bytes);
  spec.post_processors.emplace_back(post_processor::ByteLevel{});
  spec.decoders.emplace_back(decoder::ByteLevel{});
}

/// A special token, as added_tokens lists it.
inline AddedToken special_token(std::string content, int32_t id) {
  AddedToken token;
  token.id = id;
  token.content = std::move(content);
  token.special = true;
  return token;
}

}  // namespace sesame
