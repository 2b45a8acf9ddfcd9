#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer.h"

namespace sesame {

/// Encodes a text that arrives in parts of any size, cut anywhere, and may have no end: gives the ids of the whole
/// text, each as soon as nothing that follows can change it. Memory is bounded as long as the text has places where the
/// pipeline may be cut (TextEncoder::next_cut), as prose in any language has every few hundred bytes; what has none is
/// kept until it ends.
class StreamEncoder {
 public:
  /// truncate_and_pad must be off: it needs the whole text. With `threads`, which must outlive the encoder, more text
  /// is gathered and encoded by all of them.
  explicit StreamEncoder(Tokenizer tokenizer, EncodeOptions options = {}, ThreadPool* threads = nullptr);

  /// Takes the next part and appends the ids that are certain. Throws as Tokenizer::encode does.
  void push(std::string_view text, std::vector<int32_t>& ids);

  /// Ends the text and appends the rest. The encoder is then as new.
  void finish(std::vector<int32_t>& ids);

 private:
  /// The place up to which the buffered text can be encoded by itself, 0 where there is none.
  [[nodiscard]] size_t last_cut() const;
  void encode_front(size_t bytes, std::vector<int32_t>& ids);
  void encode_here(std::string_view text, std::vector<int32_t>& ids);

  Tokenizer tokenizer_;
  EncodeOptions options_;
  ThreadPool* threads_;
  size_t look_bytes_;  // so much text is gathered before it is encoded
  std::string buffer_;
  size_t next_look_;        // no cut is looked for while the buffer is shorter
  bool continues_ = false;  // text before the buffer was encoded
  size_t hold_ = 0;         // so many bytes in sight decide whether a token begins at a place
};

}  // namespace sesame
