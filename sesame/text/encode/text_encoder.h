#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "sesame/text/encode/id_buffer.h"

namespace sesame {

class ImageWriter;

/// What stands before a stretch of text: what prepends a space or strips one does so at a start only.
enum class StretchStart : uint8_t {
  text,     // nothing: it begins the text
  stretch,  // an added token
  none,     // text that was encoded before: the stretch was cut there, at a place that next_cut allowed
};

/// Encodes a stretch of text without added tokens: normalizer, pre-tokenizer and model in one. There is one encoder for
/// every pipeline (PipelineEncoder, stage after stage) and a fused one for each family that is worth it; a fused
/// encoder gives the ids of PipelineEncoder on any bytes, which is how it is tested.
///
/// Immutable: any number of threads may use one, each with a State of its own.
class TextEncoder {
 public:
  /// Buffers and caches of one thread. Bounded: its size does not depend on the text, apart from the longest piece.
  class State {
   public:
    virtual ~State() = default;
  };

  virtual ~TextEncoder() = default;

  [[nodiscard]] virtual std::unique_ptr<State> make_state() const = 0;

  /// Appends the ids of `text` to `ids`. `state` is one that this encoder made. Throws Error for a character that the
  /// vocabulary cannot express.
  virtual void encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const = 0;

  /// The first place p in [from, text.size()) where a stretch may be cut in two, from >= 1: whatever stands before
  /// text[0] and behind its end, encode(text[0, p)) and encode(text[p, ...), StretchStart::none) give the ids of the
  /// whole. text.size() where there is none (or none is known for this pipeline).
  [[nodiscard]] virtual size_t next_cut(std::string_view text, size_t from) const = 0;

  /// Writes the encoder's tables to an image from which make_text_encoder makes it again. False, with nothing written,
  /// for encoders that are made from the spec only.
  virtual bool write(ImageWriter& /*image*/) const { return false; }
};

}  // namespace sesame
