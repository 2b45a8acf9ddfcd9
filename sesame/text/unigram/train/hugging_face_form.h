#pragma once

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// A SentencePiece unigram tokenizer in Hugging Face's terms (Precompiled, Strip, Replace, Metaspace, model::Unigram),
/// for a tokenizer.json: ids and scores stay. Where words are not split by white space, `split_by_whitespace` is false.
/// Throws Error for a model of another type, and for white space as a suffix, for which that format has no form.
TokenizerSpec hugging_face_form(const TokenizerSpec& sentencepiece, bool split_by_whitespace = true);

}  // namespace sesame
