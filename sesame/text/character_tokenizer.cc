#include "sesame/text/character_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

void CharacterTrainer::add(std::string_view document) {
  for (size_t i = 0; i < document.size();) {
    const Utf8Char c = decode_utf8(document, i);
    if (!c.valid) {
      fail(fmt::format(
          "the text for a character-level tokenizer is not UTF-8 at byte {} (0x{:02X}): convert it, or train "
          "a byte-level BPE, which takes any bytes",
          bytes_ + i, static_cast<unsigned>(static_cast<uint8_t>(document[i]))));
    }
    code_points_.insert(c.code);
    i += c.length;
  }
  bytes_ += document.size();
}

Tokenizer CharacterTrainer::train(const std::vector<std::string>& special_tokens,
                                  const std::optional<std::string>& unknown) const {
  if (code_points_.empty()) fail("there is no text to make a character-level tokenizer from");
  if (unknown && std::find(special_tokens.begin(), special_tokens.end(), *unknown) == special_tokens.end()) {
    fail_usage(fmt::format("the unknown token '{}' is not one of the special tokens", *unknown));
  }
  TokenizerSpec spec;
  const auto add_token = [&](std::string token) {
    spec.vocabulary.push_back({std::move(token), static_cast<int32_t>(spec.vocabulary.size())});
  };
  for (const std::string& token : special_tokens) {
    spec.added_tokens.push_back(special_token(token, static_cast<int32_t>(spec.vocabulary.size())));
    add_token(token);
  }
  for (const uint32_t code : code_points_) {
    std::string character;
    append_utf8(code, character);
    add_token(std::move(character));
  }
  spec.pre_tokenizers = {pre_tokenizer::Split{
      {std::string(pre_tokenizer::every_character_regex), true}, pre_tokenizer::Behavior::isolated, false}};
  spec.model = model::WordLevel{unknown.value_or("<unk>")};
  spec.decoders = {decoder::Fuse{}};
  return Tokenizer(std::move(spec), "character-level tokenizer");
}

}  // namespace sesame
