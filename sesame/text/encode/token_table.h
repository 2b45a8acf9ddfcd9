#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/string_map.h"

namespace sesame {

/// Every id of a tokenizer: its spelling, the bytes that it decodes to, whether it is special. The decoder of the
/// pipeline, compiled: what it does token by token is done here once, what it does to the start of a text is said in
/// `start`.
class TokenTable {
 public:
  /// Throws Error for ids and contents that collide and for decoders that cannot be compiled so.
  TokenTable(const TokenizerSpec& spec, std::string_view origin);

  [[nodiscard]] int32_t size() const noexcept { return static_cast<int32_t>(tokens_.size()); }
  [[nodiscard]] bool contains(int32_t id) const noexcept {
    return id >= 0 && id < size() && tokens_[static_cast<size_t>(id)].present;
  }
  [[nodiscard]] bool special(int32_t id) const noexcept {
    return contains(id) && tokens_[static_cast<size_t>(id)].special;
  }
  /// Throws Error for an id outside the vocabulary.
  void check(int32_t id) const;
  [[nodiscard]] std::string_view spelling(int32_t id) const noexcept {
    return tokens_[static_cast<size_t>(id)].spelling;
  }
  [[nodiscard]] std::string_view bytes(int32_t id) const noexcept { return tokens_[static_cast<size_t>(id)].bytes; }
  [[nodiscard]] const StringMap& ids() const noexcept { return ids_; }

  /// What decoding does to the start of a text and between tokens.
  struct Start {
    int32_t strip_count = 0;  // Strip after Fuse: up to so many `strip` off the front of the text
    char strip = ' ';
    std::string drop;     // Metaspace: all of these off the first token, or empty
    bool spaced = false;  // no decoder: spaces between tokens
  };
  [[nodiscard]] const Start& start() const noexcept { return start_; }

  /// The bytes of the first token of a text, before `strip`.
  [[nodiscard]] std::string first_bytes(int32_t id) const;

 private:
  struct Token {
    std::string spelling;
    std::string bytes;
    bool present = false;
    bool special = false;
    bool added = false;
  };

  void add_vocabulary(const TokenizerSpec& spec, std::string_view origin);
  void add_added_tokens(const TokenizerSpec& spec, std::string_view origin);
  void decode_tokens(const TokenizerSpec& spec, std::string_view origin);
  void set_text_strip(const decoder::Strip& strip, std::string_view origin);

  std::vector<Token> tokens_;
  StringMap ids_;
  Start start_;
};

}  // namespace sesame
