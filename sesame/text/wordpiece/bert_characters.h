#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// What BertNormalizer and BertPreTokenizer together make of each character: cleaning, spaces around Chinese, NFD
/// without nonspacing marks, lower case, white space and punctuation, all in one look at a table.
class BertCharacters {
 public:
  enum Kind : uint8_t {
    in_word,  // goes on with the word before it; with length 0 it is nothing
    alone,    // a word by itself
    space,    // ends a word
    spelled,  // several characters: spelling()
    marked,   // holds marks that NFD puts in order with those around them
  };
  /// One character, or the entry of one in the table.
  class Entry {
   public:
    constexpr Entry() = default;
    constexpr Entry(Kind kind, uint32_t length, uint32_t bytes)
        : bits_(bytes | (length << 24) | (uint32_t{kind} << 28)) {}
    [[nodiscard]] constexpr Kind kind() const noexcept { return static_cast<Kind>(bits_ >> 28); }
    /// Bytes of UTF-8: 0 to 3, in bytes(), first byte lowest; or `as_it_is`, those of the character itself.
    [[nodiscard]] constexpr uint32_t length() const noexcept { return (bits_ >> 24) & 15; }
    [[nodiscard]] constexpr uint32_t bytes() const noexcept { return bits_ & 0xFFFFFF; }
    friend bool operator==(const Entry&, const Entry&) = default;

   private:
    uint32_t bits_ = 0;
  };
  static constexpr uint32_t as_it_is = 4;

  /// A character of normalized text.
  struct Spelled {
    Kind kind;  // in_word, alone or space
    char32_t code;
  };

  /// The table for these settings; made once in a process. Without `options` there is no normalizer.
  static const BertCharacters& get(const normalizer::Bert& options);
  static const BertCharacters& get_without_normalizer();

  [[nodiscard]] Entry of(uint32_t code) const noexcept {
    return blocks_[index_[code >> block_bits] + (code & block_mask)];
  }
  /// The characters of an entry of kind `spelled`.
  [[nodiscard]] const Spelled* spelling_begin(Entry entry) const noexcept { return &spellings_[entry.bytes()]; }
  [[nodiscard]] uint32_t spelling_size(Entry entry) const noexcept { return entry.length(); }

  /// Whether words before a character end at it, and those behind it begin there.
  [[nodiscard]] bool ends_words(Entry entry) const noexcept {
    // What is spelled is either a word alone or all within one.
    const Kind kind = entry.kind() == spelled ? spelling_begin(entry)->kind : entry.kind();
    return kind == alone || kind == space;
  }

  /// Whether ASCII capitals become small.
  [[nodiscard]] bool lowercase() const noexcept { return lowercase_; }

  /// The ASCII characters of a kind: bit h of element l stands for the character 16 h + l.
  struct AsciiRows {
    std::array<uint8_t, 16> space{};
    std::array<uint8_t, 16> alone{};
    std::array<uint8_t, 16> dropped{};
  };
  [[nodiscard]] const AsciiRows& ascii() const noexcept { return ascii_; }

  /// Writes text without the characters that cleaning drops, which may make characters of the bytes around them; false
  /// where those are characters to drop, too, or none were dropped.
  [[nodiscard]] bool clean(std::string_view text, std::string& cleaned) const;
  /// Normalizes characters that belong together because of their marks (a run that starts with one of kind `marked`).
  [[nodiscard]] std::vector<Spelled> normalize(std::u32string_view text) const;
  /// Whether a character belongs to the run of marks before it.
  [[nodiscard]] bool continues_marks(uint32_t code) const;

 private:
  explicit BertCharacters(const normalizer::Bert& options);
  [[nodiscard]] Entry entry_of(uint32_t code);
  void fill_block(uint32_t block);

  static constexpr uint32_t block_bits = 7;
  static constexpr uint32_t block_size = 1u << block_bits;
  static constexpr uint32_t block_mask = block_size - 1;
  static constexpr uint32_t block_count = 0x110000u >> block_bits;

  normalizer::Bert options_;
  bool strip_accents_;
  bool lowercase_;
  std::array<uint32_t, block_count> index_{};  // where the block of a character begins in blocks_
  std::vector<Entry> blocks_;
  std::vector<Spelled> spellings_;
  AsciiRows ascii_;
};

}  // namespace sesame
