#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/encode/token_table.h"
#include "sesame/text/files/image.h"
#include "sesame/text/pipeline/added_tokens.h"
#include "sesame/text/pipeline/full_encoder.h"
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
  /// Of the stages of a pipeline, and an image that holds the vocabulary and the encoder's tables.
  Pipeline(TokenizerSpec stages, const ImageReader& from, std::string_view origin);
  static std::shared_ptr<const Pipeline> from_image(const ImageReader& image, const std::string& origin);

  /// The pipeline with its vocabulary, which one from an image reads when it is first asked for.
  [[nodiscard]] const TokenizerSpec& full_spec() const;

  [[nodiscard]] Sought seek_tokens(bool special, const std::vector<std::string>& named) const;
  /// Valid while the pipeline is: what options without names look for is kept there, as that list is as long as that of
  /// the added tokens.
  [[nodiscard]] std::shared_ptr<const Sought> seek(const EncodeOptions& options) const;
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

  TokenizerSpec spec;  // of a pipeline from an image without the vocabulary
  TokenTable table;
  std::optional<Normalizer> normalizer;  // only where added tokens are found in normalized text
  AddedTokenFinder raw_tokens;
  AddedTokenFinder normalized_tokens;
  Sought ordinary_sought = seek_tokens(false, {});
  Sought all_sought = seek_tokens(true, {});
  std::unique_ptr<const TextEncoder> encoder;
  PostProcessor around;
  TokenDecoder decoder;
  std::optional<int32_t> unknown;
  uint64_t serial;  // of the thread states
  /// For encode_full; made when it is first called.
  [[nodiscard]] const FullEncoder& full_encoder() const;

  std::optional<ImageReader> image;
  mutable std::once_flag source_once;
  mutable std::unique_ptr<const TokenizerSpec> source;  // of an image
  mutable std::once_flag full_once;
  mutable std::unique_ptr<const FullEncoder> full;
  mutable std::once_flag fingerprint_once;
  mutable uint64_t fingerprint = 0;
};

/// Appends the ids of a text, without what the post-processor adds, on several threads. `continues`: a text before it
/// was encoded, and it was cut where the encoder allows.
void encode_on_threads(const Tokenizer::Pipeline& pipeline, std::string_view text, bool continues,
                       const EncodeOptions& options, ThreadPool& threads, std::vector<int32_t>& ids);

}  // namespace sesame
