#pragma once

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The Hugging Face pipeline that comes nearest to a SentencePiece one, as transformers converts it: of a BPE model
/// Llama-2's (Prepend, Replace, merges by falling score, byte fallback), of a unigram model T5's (Precompiled,
/// Metaspace, model::Unigram). Ids stay; texts that white space or user-defined symbols make special may differ. Throws
/// Error for a spec of another model, for models of words and characters and for white space as a suffix, for which
/// tokenizer.json has no form.
TokenizerSpec to_hugging_face(const TokenizerSpec& sentencepiece);

}  // namespace sesame
