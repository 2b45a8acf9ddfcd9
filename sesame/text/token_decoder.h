#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/encode/token_table.h"
#include "sesame/text/pipeline/decoder_chain.h"
#include "sesame/text/sentencepiece/decoder.h"

namespace sesame {

/// Ids to text, in the way of the pipeline's decoders: token by token where they allow it (TokenTable), by
/// SentencePiece's rules, or by the whole chain. Immutable.
class TokenDecoder {
 public:
  /// The table must outlive the decoder.
  TokenDecoder(const TokenizerSpec& spec, const TokenTable& table, std::string_view origin);

  /// Appends to `text`. Throws Error for an id outside the vocabulary.
  void decode(std::span<const int32_t> ids, bool skip_special, std::string& text) const;

  /// The same id by id: what push and finish append, taken together, is what decode gives. Pipelines that need the
  /// whole chain (CTC, end-of-word suffixes) decode all ids again with each one.
  class Stream {
   public:
    Stream(const TokenDecoder& decoder, bool skip_special, bool continuation);
    void push(int32_t id, std::string& out);
    void finish(std::string& out);

   private:
    void push_bytes(int32_t id, std::string& out);
    void push_chain(int32_t id, std::string& out);

    const TokenDecoder& decoder_;
    bool skip_special_;
    bool continuation_;
    bool started_;
    int32_t strips_left_;  // characters that the decoder still takes off the start
    std::optional<SentencePieceDecoder::Stream> pieces_;
    std::vector<int32_t> ids_;  // all, for the chain
    std::string last_;          // their text
    size_t shown_ = 0;          // bytes of it that push has given
  };

 private:
  [[nodiscard]] std::string decode_chain(std::span<const int32_t> ids, bool skip_special) const;

  const TokenTable& table_;
  std::optional<SentencePieceDecoder> pieces_;
  std::optional<DecoderChain> chain_;
};

}  // namespace sesame
