#pragma once

#include <cstdint>

#include "sesame/data/token_stream.h"
#include "sesame/text/tokenizer.h"
#include "sesame/train/recipe.h"
#include "sesame/train/run_directory.h"

namespace sesame {

/// A recipe's text as tokens.
struct TrainingText {
  Tokenizer tokenizer;
  TokenStream train;
  TokenStream validation;  // empty when the recipe asks for none
};

/// Loads or trains the tokenizer (run.tokenizer(), taken as it is when it is there), tokenises into run.data() and
/// splits. Standard input is stored in run.data() first, so that a resumed run finds it. A character tokenizer also
/// learns the characters of the validation text. Progress goes to standard error. Throws Error for text that cannot be
/// used or is shorter than context + 1 tokens.
TrainingText prepare_text(const Recipe& recipe, const RunDirectory& run, int threads);

}  // namespace sesame
