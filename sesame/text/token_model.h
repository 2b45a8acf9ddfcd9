#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace sesame {

/// A token of a piece of text, and the bytes [begin, end) of the piece that it stands for.
struct PieceToken {
  int32_t id;
  uint32_t begin;
  uint32_t end;
};

/// The step of a pipeline that turns one piece of text into tokens: BPE, WordPiece, Unigram, whole words. The obvious
/// form, with offsets; the fused encoders (encode/text_encoder.h) have faster ones of their own.
class TokenModel {
 public:
  /// Buffers that calls of one thread share.
  class Scratch {
   public:
    virtual ~Scratch() = default;
  };

  virtual ~TokenModel() = default;

  [[nodiscard]] virtual std::unique_ptr<Scratch> make_scratch() const { return std::make_unique<Scratch>(); }

  /// Appends the tokens of `piece`, in order. `scratch` is one that this model made. Throws Error for a character that
  /// the vocabulary cannot express.
  virtual void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const = 0;
};

}  // namespace sesame
