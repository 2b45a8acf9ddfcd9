#pragma once

#include "sesame/data/token_stream.h"

namespace sesame {

struct Split {
  TokenStream train;
  TokenStream validation;
};

/// The first int(n * (1 - validation_fraction)) of n tokens for training, the rest for validation: with 0.1 exactly
/// nanoGPT's split. 0 leaves validation empty. Throws usage Error unless 0 <= validation_fraction < 1.
Split split_tail(const TokenStream& tokens, double validation_fraction);

}  // namespace sesame
