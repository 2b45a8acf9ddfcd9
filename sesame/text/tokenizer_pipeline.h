#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "sesame/base/function_ref.h"
#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/encode/token_table.h"
#include "sesame/text/pipeline/added_tokens.h"
#include "sesame/text/pipeline/post_processor.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// A pipeline compiled: what a Tokenizer shares with its copies.
///
///     text -> raw added tokens -> [normalizer -> normalized added tokens] -> encoder -> ids
///
/// The encoder normalizes by itself, unless added tokens are to be found in normalized text.
struct Tokenizer::Pipeline {
  struct Sought {
    AddedTokenFinder::Sought raw;
    AddedTokenFinder::Sought normalized;
  };

  Pipeline(TokenizerSpec given, std::string_view origin);

  [[nodiscard]] Sought seek(const EncodeOptions& options) const;
  /// Throws Error for a special token in the text that the options refuse.
  void refuse_special(std::string_view text, const EncodeOptions& options) const;
  /// The stretches of a text in order: an added token, or text for the encoder (valid during the call).
  void for_each_stretch(
      std::string_view text, const Sought& sought,
      FunctionRef<void(std::string_view stretch, const AddedToken* token, StretchStart start)> visit) const;
  /// Appends the ids of a stretch; block_done may take ids out of the buffer.
  void encode_stretch(std::string_view stretch, StretchStart start, TextEncoder::State& state, IdBuffer& ids,
                      FunctionRef<void()> block_done) const;
  void encode(std::string_view text, const EncodeOptions& options, IdBuffer& ids, FunctionRef<void()> block_done) const;

  TokenizerSpec spec;
  TokenTable table;
  std::optional<Normalizer> normalizer;  // only where added tokens are found in normalized text
  AddedTokenFinder raw_tokens;
  AddedTokenFinder normalized_tokens;
  std::unique_ptr<const TextEncoder> encoder;
  PostProcessor around;
  std::optional<int32_t> unknown;
  uint64_t serial;  // of the thread states
  mutable std::once_flag fingerprint_once;
  mutable uint64_t fingerprint = 0;
};

/// Appends the ids of a text, without what the post-processor adds, on several threads. `continues`: a text before it
/// was encoded, and it was cut where the encoder allows.
void encode_on_threads(const Tokenizer::Pipeline& pipeline, std::string_view text, bool continues,
                       const EncodeOptions& options, ThreadPool& threads, std::vector<int32_t>& ids);

}  // namespace sesame
