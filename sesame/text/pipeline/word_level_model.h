#pragma once

#include <optional>

#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/string_map.h"

namespace sesame {

/// Whole pieces are tokens; what is not in the vocabulary is the unknown token, or an Error where there is none.
class WordLevelModel : public TokenModel {
 public:
  WordLevelModel(const model::WordLevel& model, const TokenizerSpec& spec);
  void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const override;

 private:
  StringMap words_;
  std::optional<int32_t> unknown_;
};

}  // namespace sesame
