#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/encode/short_tokens.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// SentencePiece's decoding (sentencepiece_processor.cc, Decode): control pieces are nothing, the unknown one its
/// surface, U+2581 a space; runs of byte pieces become characters, each byte that is part of none U+FFFD; spaces that
/// the normalizer put in front are taken off. Immutable.
class SentencePieceDecoder {
 public:
  /// Of a spec with a model::SentencePiece and its normalizer. Throws Error, beginning with `origin`, for another one.
  SentencePieceDecoder(const TokenizerSpec& spec, std::string_view origin);

  /// Appends the text of ids; added tokens behind the pieces are their contents. Throws Error for an id outside the
  /// vocabulary.
  void decode_append(std::span<const int32_t> ids, std::string& text) const;
  [[nodiscard]] std::string decode(std::span<const int32_t> ids) const {
    std::string text;
    decode_append(ids, text);
    return text;
  }

  /// The same id by id. Bytes of an unfinished character wait for the next id. With a denormalizer everything waits for
  /// finish(), since its rules go across tokens.
  class Stream {
   public:
    /// `continuation`: the text continues another one, so that leading spaces stay. The decoder outlives the stream.
    explicit Stream(const SentencePieceDecoder& decoder, bool continuation = false)
        : decoder_(decoder), expects_prefix_(!continuation) {}

    /// Appends what is certain once `id` is known. Throws Error for an id outside the vocabulary.
    void push(int32_t id, std::string& out);
    /// Appends the rest.
    void finish(std::string& out);
    /// Whether the next token is what it is in the middle of a text, whatever has come before it: once there is text,
    /// no prefix is taken off.
    [[nodiscard]] bool is_settled() const noexcept { return has_text_ && bytes_.empty() && !decoder_.denormalizes_; }

   private:
    void flush_bytes(std::string& out, bool last);
    void append_piece(int32_t id, std::string& out);

    const SentencePieceDecoder& decoder_;
    std::string bytes_;         // of byte pieces, not yet characters
    std::string denormalized_;  // what waits for the denormalizer
    bool expects_prefix_;       // nothing but prefixes has come so far
    bool prefix_seen_ = false;  // the last piece was the one prefix
    bool has_text_ = false;
  };

  /// What an id stands for in the middle of a text: its bytes, or none for control pieces.
  [[nodiscard]] std::string_view bytes(int32_t id) const { return tokens_[static_cast<size_t>(id)].text; }
  [[nodiscard]] bool contains(int32_t id) const noexcept {
    return id >= 0 && static_cast<size_t>(id) < tokens_.size() && tokens_[static_cast<size_t>(id)].kind != Kind::none;
  }

 private:
  enum class Kind : uint8_t { none, piece, byte, whole };  // whole: with no prefix to take off
  struct Token {
    std::string text;
    Kind kind = Kind::none;
    bool begins_with_space = false;
  };

  void check(int32_t id) const;
  void decode_long(std::span<const int32_t> ids, std::string& text) const;
  /// Appends the text of ids by the table of short tokens, up to one that needs the stream or a character that they
  /// do not end; returns how many those are. Appends nothing and returns none where bytes are no characters.
  std::optional<size_t> decode_short(std::span<const int32_t> ids, std::string& text) const;

  std::vector<Token> tokens_;
  bool has_bytes_ = false;  // byte pieces
  bool strips_one_;         // a leading space symbol
  bool strips_all_;
  bool denormalizes_;
  SentencePieceNormalizer denormalizer_;
  std::shared_ptr<ShortTokens> short_tokens_ = std::make_shared<ShortTokens>();
};

}  // namespace sesame
