#pragma once

#include <memory>
#include <string_view>

#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/token_model.h"

namespace sesame {

/// Runs a pipeline stage after stage: normalizer, pre-tokenizer, model, with a cache of short pieces.
class PipelineEncoder : public TextEncoder {
 public:
  PipelineEncoder(const TokenizerSpec& spec, std::unique_ptr<const TokenModel> model, std::string_view origin);

  [[nodiscard]] std::unique_ptr<State> make_state() const override;
  void encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const override;
  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override;

 private:
  struct Buffers;
  void encode_piece(std::string_view piece, Buffers& buffers, IdBuffer& ids) const;

  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  std::unique_ptr<const TokenModel> model_;
};

}  // namespace sesame
