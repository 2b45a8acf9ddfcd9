#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/pipeline/candidate_scan.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Finds added tokens in text: leftmost, longest. Text without any costs a scan by vectors, however many tokens there
/// are.
class AddedTokenFinder {
 public:
  /// Tokens and the text that each is found by (its content, or its normalized content). Tokens of no text are never
  /// found; of tokens with the same text the first is.
  explicit AddedTokenFinder(std::vector<std::pair<std::string, AddedToken>> tokens);

  /// Which of the tokens are looked for. Made once for the options of a call.
  struct Sought {
    std::vector<uint8_t> token;              // by number: whether it is looked for
    std::array<uint8_t, 256> first_bytes{};  // of the tokens looked for
    bool any = false;
    /// Tokens that are not looked for hide those that begin inside them, as with Hugging Face's encode_special_tokens.
    bool others_hide = false;
  };
  /// All special tokens, or the named ones; and with `ordinary` those that are not special.
  [[nodiscard]] Sought seek(bool special, const std::vector<std::string>& named, bool ordinary = true) const;

  [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }
  [[nodiscard]] const std::vector<AddedToken>& tokens() const noexcept { return tokens_; }

  /// Calls `visit` for the stretches of `text` in order: with the token found, or null for text between tokens (never
  /// empty). Stretches cover the text; they overlap only where a token begins in white space that the one before it
  /// took as its own (rstrip), as in Hugging Face's library.
  void split(std::string_view text, const Sought& sought,
             FunctionRef<void(std::string_view stretch, const AddedToken* token)> visit) const;

 private:
  struct Node {
    std::vector<std::pair<uint8_t, int32_t>> children;  // sorted by byte
    int32_t token = -1;
  };
  struct Match {
    size_t length;
    const AddedToken* token;  // null where the longest one is not looked for
  };

  void add(std::string_view text, int32_t token);
  [[nodiscard]] Match longest_at(std::string_view text, size_t position, const Sought& sought) const;

  std::vector<AddedToken> tokens_;
  std::vector<uint8_t> starts_;  // the first byte that each is found by
  std::vector<Node> nodes_;
  CandidateScan candidates_;
};

}  // namespace sesame
