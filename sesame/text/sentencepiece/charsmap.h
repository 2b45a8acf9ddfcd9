#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "sesame/base/flat_array.h"
#include "sesame/base/function_ref.h"

namespace sesame {

/// SentencePiece's precompiled_charsmap: strings and what replaces them, as a trie in a double array (Darts-clone: u32
/// units) and the replacements, each ended by NUL. In the file: u32 bytes of the trie, the trie, the replacements.
class Charsmap {
 public:
  /// No rules.
  Charsmap() = default;
  /// Takes the bytes of a precompiled_charsmap; empty: no rules. Throws Error, beginning with `origin`, for one whose
  /// indices or sizes do not hold together.
  Charsmap(std::string_view bytes, std::string_view origin);

  struct Match {
    size_t length = 0;  // of the key, in bytes; 0: no rule
    std::string_view replacement;
  };
  /// The longest key that `text` begins with.
  [[nodiscard]] Match longest_prefix(std::string_view text) const noexcept;
  /// The shortest one.
  [[nodiscard]] Match shortest_prefix(std::string_view text) const noexcept;

  [[nodiscard]] bool empty() const noexcept { return units_.empty(); }
  /// Whether some key begins with this byte.
  [[nodiscard]] bool begins_key(uint8_t byte) const noexcept { return begins_key_[byte] != 0; }

  /// Every rule, keys in the order of their bytes.
  void for_each_rule(FunctionRef<void(std::string_view key, std::string_view replacement)> visit) const;

 private:
  void check(std::string_view origin) const;
  [[nodiscard]] std::string_view replacement(uint32_t position) const noexcept;

  FlatArray<uint32_t> units_;
  FlatArray<char> replacements_;
  std::array<uint8_t, 256> begins_key_{};
};

/// Rules: key to replacement, both UTF-8 without NUL.
using CharsmapRules = std::map<std::string, std::string>;

/// The bytes of a precompiled_charsmap; none for no rules. Throws Error for an empty key and for a NUL in a rule.
std::string compile_charsmap(const CharsmapRules& rules);

/// The precompiled_charsmap of one of SentencePiece's normalization rules: nmt_nfkc, nfkc, nmt_nfkc_cf, nfkc_cf,
/// identity (none). It gives the text that SentencePiece's own gives. Throws Error (usage) for another name.
std::string make_charsmap(std::string_view name);

}  // namespace sesame
