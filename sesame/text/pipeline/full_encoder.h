#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/encode/token_table.h"
#include "sesame/text/encoding.h"
#include "sesame/text/pipeline/added_tokens.h"
#include "sesame/text/pipeline/post_processor.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Encodes texts and pairs of texts with offsets, words, types and masks: what Hugging Face's encode gives. Immutable,
/// for any number of threads; what it is made from must outlive it.
class FullEncoder {
 public:
  /// `raw` and `normalized` find the added tokens of the spec in raw and in normalized text.
  FullEncoder(const TokenizerSpec& spec, const TokenTable& table, const AddedTokenFinder& raw,
              const AddedTokenFinder& normalized, const PostProcessor& around, std::string_view origin);

  struct Sought {
    const AddedTokenFinder::Sought& raw;
    const AddedTokenFinder::Sought& normalized;
  };

  /// With `truncate_and_pad` the tokenizer's own truncation and padding apply, the latter to the longest of all texts
  /// where it names no length. Throws Error for a text of 4 GiB, and where truncation cannot be done.
  [[nodiscard]] Encoding encode(std::string_view text, std::optional<std::string_view> pair, const Sought& sought,
                                bool add_special, bool truncate_and_pad) const;
  [[nodiscard]] std::vector<Encoding> encode_batch(std::span<const std::string_view> texts, const Sought& sought,
                                                   bool add_special, bool truncate_and_pad) const;

 private:
  struct Pieces;

  [[nodiscard]] TokenWindow encode_window(std::string_view text, std::optional<std::string_view> pair,
                                          const Sought& sought, bool add_special, bool truncate) const;
  [[nodiscard]] TokenWindow encode_text(std::string_view text, int32_t sequence, const Sought& sought) const;
  [[nodiscard]] AlignedText normalize(const AlignedText& text) const;
  [[nodiscard]] Pieces split(std::string_view text, const Sought& sought) const;
  void pad(std::span<TokenWindow> windows, bool pairs) const;

  const TokenizerSpec& spec_;
  const TokenTable& table_;
  const AddedTokenFinder& raw_tokens_;
  const AddedTokenFinder& normalized_tokens_;
  const PostProcessor& around_;
  std::optional<SentencePieceNormalizer> sentencepiece_normalizer_;
  Normalizer normalizer_;  // else
  PreTokenizer pre_tokenizer_;
  std::unique_ptr<const TokenModel> model_;
  std::optional<int32_t> unigram_unknown_;  // spelled as the text that it stands for
};

/// Offsets in bytes as offsets in code points, as Hugging Face's Python library counts them; each byte that is not
/// UTF-8 counts as one. `spans` are of `text`.
[[nodiscard]] std::vector<TextSpan> code_point_offsets(std::string_view text, std::span<const TextSpan> spans);

}  // namespace sesame
