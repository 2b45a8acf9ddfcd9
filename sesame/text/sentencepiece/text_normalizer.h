#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/sentencepiece/byte_trie.h"
#include "sesame/text/sentencepiece/character_set.h"
#include "sesame/text/sentencepiece/charsmap.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// U+2581, which stands for a space in normalized text.
inline constexpr std::string_view space_symbol = "\xE2\x96\x81";

/// SentencePiece's normalizer (normalizer.cc): user-defined symbols stay as they are, else the longest key of the table
/// is replaced, else a character is copied and a byte that begins none becomes U+FFFD; white space is joined, marked
/// and put in front as the flags say. Immutable.
class SentencePieceNormalizer {
 public:
  /// `user_symbols`: their texts, none empty. Throws Error, beginning with `origin`, for a broken charsmap.
  SentencePieceNormalizer(const normalizer::SentencePiece& settings, const std::vector<std::string_view>& user_symbols,
                          std::string_view origin);

  /// How far a text has come that is normalized part by part.
  struct Progress {
    bool begun = false;           // something other than leading white space has been seen
    bool previous_space = false;  // where extra white space is removed: it was the last thing that was written
    static Progress inside() { return {true, false}; }
  };

  /// Appends the next part of a text. With `sources`, which is as long as `out`, appends the place in the text that
  /// each byte comes from: `offset` plus the place in the part where the characters begin that were replaced together.
  void append(std::string_view part, Progress& progress, std::string& out, std::vector<size_t>* sources = nullptr,
              size_t offset = 0) const;

  /// The end of the text: takes white space off the end and appends the suffix, as the flags say. With `sources`, which
  /// then has one element more than `out`: where the text ends that was taken.
  void finish(Progress& progress, std::string& out, std::vector<size_t>* sources = nullptr, size_t text_size = 0) const;

  /// A whole text.
  [[nodiscard]] std::string apply(std::string_view text, std::vector<size_t>* sources = nullptr) const;

  [[nodiscard]] const normalizer::SentencePiece& settings() const noexcept { return settings_; }

  /// Whether a text may be cut before every run of spaces and its parts be normalized one after the other, because no
  /// rule and no symbol reaches across such a place and a space becomes a space symbol.
  [[nodiscard]] bool cuts_before_spaces() const noexcept { return cuts_before_spaces_; }

  /// Whether the same goes for runs of spaces and line breaks together.
  [[nodiscard]] bool cuts_before_line_breaks() const noexcept { return cuts_before_line_breaks_; }

  /// Whether an ASCII character, if another one or nothing follows, always becomes itself.
  [[nodiscard]] bool copies_ascii(uint8_t character) const noexcept { return copied_[character] != 0; }

 private:
  struct Piece {
    size_t length;  // of the text
    std::string_view replacement;
  };
  [[nodiscard]] Piece next_piece(std::string_view text, size_t begin) const;
  [[nodiscard]] size_t end_of_copied(std::string_view text, size_t begin) const;
  void append_space(std::string& out) const;
  void append_replacement(std::string_view replacement, std::string& out) const;
  void find_cuts(const std::vector<std::string_view>& user_symbols);
  void touch(std::string_view text);

  normalizer::SentencePiece settings_;
  Charsmap charsmap_;
  ByteTrie user_symbols_;
  std::array<uint8_t, 256> begins_symbol_{};  // by the first byte
  std::array<uint8_t, 256> copied_{};
  CharacterSet touched_;  // characters in keys and symbols; others become themselves
  bool cuts_before_spaces_ = false;
  bool cuts_before_line_breaks_ = false;
};

}  // namespace sesame
