#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Finds added tokens in text: leftmost, longest.
class AddedTokenFinder {
 public:
  /// Tokens and the text that each is found by (its content, or its normalized content).
  explicit AddedTokenFinder(std::vector<std::pair<std::string, AddedToken>> tokens);

  /// Which of the tokens are looked for. Made once for the options of a call.
  struct Sought {
    std::vector<uint8_t> token;              // by number: whether it is looked for
    std::array<uint8_t, 256> first_bytes{};  // of the tokens looked for
    bool any = false;
  };
  /// All special tokens, or the named ones; and with `ordinary` those that are not special.
  [[nodiscard]] Sought seek(bool special, const std::vector<std::string>& named, bool ordinary = true) const;

  [[nodiscard]] bool empty() const noexcept { return tokens_.empty(); }
  [[nodiscard]] const std::vector<AddedToken>& tokens() const noexcept { return tokens_; }

  /// Calls `visit` for the stretches of `text` in order: with the token found, or null for text between tokens (never
  /// empty).
  void split(std::string_view text, const Sought& sought,
             FunctionRef<void(std::string_view stretch, const AddedToken* token)> visit) const;

 private:
  struct Node {
    std::vector<std::pair<uint8_t, int32_t>> children;  // sorted by byte
    int32_t token = -1;
  };
  struct Match {
    size_t length;
    const AddedToken* token;
  };
  [[nodiscard]] Match longest_at(std::string_view text, size_t position, const Sought& sought) const;

  std::vector<AddedToken> tokens_;
  std::vector<uint8_t> starts_;  // the first byte that each is found by
  std::vector<Node> nodes_;
};

}  // namespace sesame
