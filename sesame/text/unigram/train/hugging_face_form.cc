#include "sesame/text/unigram/train/hugging_face_form.h"

#include <cstddef>
#include <string>
#include <utility>

#include "sesame/base/error.h"

namespace sesame {
namespace {

using model::PieceType;

AddedToken added_token(const VocabularyEntry& entry, PieceType type) {
  AddedToken token;
  token.id = entry.id;
  token.content = entry.token;
  token.special = type != PieceType::user_defined;
  return token;
}

}  // namespace

TokenizerSpec hugging_face_form(const TokenizerSpec& sentencepiece, bool split_by_whitespace) {
  const auto* const model = std::get_if<model::SentencePiece>(&sentencepiece.model);
  if (model == nullptr || model->type != model::SentencePiece::Type::unigram || sentencepiece.normalizers.size() != 1) {
    fail("only a SentencePiece unigram model has a form as Hugging Face's Unigram");
  }
  const auto& normalizer = std::get<normalizer::SentencePiece>(sentencepiece.normalizers.front());
  if (normalizer.treat_whitespace_as_suffix) {
    fail("tokenizer.json has no form for white space as a suffix: save the tokenizer as tokenizer.model");
  }
  TokenizerSpec spec;
  if (!normalizer.charsmap.empty()) spec.normalizers.emplace_back(normalizer::Precompiled{normalizer.charsmap});
  if (normalizer.remove_extra_whitespaces) {
    spec.normalizers.emplace_back(normalizer::Strip{});
    spec.normalizers.emplace_back(normalizer::Replace{{" {2,}", true}, " "});
  }
  pre_tokenizer::Metaspace metaspace;
  metaspace.prepend_scheme =
      normalizer.add_dummy_prefix ? pre_tokenizer::PrependScheme::always : pre_tokenizer::PrependScheme::never;
  metaspace.split = split_by_whitespace;
  spec.pre_tokenizers.emplace_back(metaspace);
  if (model->byte_fallback) {
    spec.decoders.emplace_back(decoder::ByteFallback{});
    spec.decoders.emplace_back(decoder::Fuse{});
  }
  spec.decoders.emplace_back(decoder::Metaspace{metaspace.replacement, metaspace.prepend_scheme, metaspace.split});
  spec.vocabulary = sentencepiece.vocabulary;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const PieceType type = model->types[static_cast<size_t>(entry.id)];
    if (type == PieceType::unknown || type == PieceType::control || type == PieceType::user_defined)
      spec.added_tokens.push_back(added_token(entry, type));
  }
  spec.post_processors = sentencepiece.post_processors;
  model::Unigram unigram;
  unigram.scores.assign(model->scores.begin(), model->scores.end());
  unigram.unk_id = model->unk_id;
  unigram.byte_fallback = model->byte_fallback;
  spec.model = std::move(unigram);
  return spec;
}

}  // namespace sesame
