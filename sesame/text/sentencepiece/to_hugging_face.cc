#include "sesame/text/sentencepiece/to_hugging_face.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/sentencepiece/piece_vocabulary.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/unigram/train/hugging_face_form.h"

namespace sesame {
namespace {

using model::PieceType;

/// Every way to put a piece together of two, in the order in which transformers has them (generate_merges): the piece
/// of highest score first, then the one with more characters on the left, then as the pieces' ids are.
std::vector<model::Merge> merges_of(const TokenizerSpec& spec, const model::SentencePiece& model) {
  std::unordered_map<std::string_view, int32_t> ids;
  for (const VocabularyEntry& entry : spec.vocabulary) ids.emplace(entry.token, entry.id);
  struct Candidate {
    model::Merge merge;
    float score;
    size_t left_characters;
    size_t right_characters;
  };
  std::vector<Candidate> candidates;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const std::string_view text = entry.token;
    std::vector<size_t> cuts;  // where characters begin, but the first
    for (size_t i = character_length(text, 0); i < text.size(); i += character_length(text, i)) cuts.push_back(i);
    const size_t first = candidates.size();
    for (size_t i = 0; i < cuts.size(); ++i) {
      const auto left = ids.find(text.substr(0, cuts[i]));
      const auto right = ids.find(text.substr(cuts[i]));
      if (left == ids.end() || right == ids.end()) continue;
      candidates.push_back(
          {{left->second, right->second}, model.scores[static_cast<size_t>(entry.id)], i + 1, cuts.size() - i});
    }
    std::sort(candidates.begin() + static_cast<std::ptrdiff_t>(first), candidates.end(),
              [](const Candidate& a, const Candidate& b) {
                return std::tie(a.merge.left, a.merge.right) < std::tie(b.merge.left, b.merge.right);
              });
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  std::vector<model::Merge> merges;
  merges.reserve(candidates.size());
  for (const Candidate& candidate : candidates) merges.push_back(candidate.merge);
  return merges;
}

template <typename Replace>
Replace replacement(std::string_view text, bool regex, std::string_view content) {
  Replace step;
  step.pattern.text = text;
  step.pattern.regex = regex;
  step.content = content;
  return step;
}

void add_stages(const normalizer::SentencePiece& normalizer, bool byte_fallback, TokenizerSpec& spec) {
  const std::string mark(space_symbol);
  if (!normalizer.charsmap.empty()) spec.normalizers.emplace_back(normalizer::Precompiled{normalizer.charsmap});
  if (normalizer.remove_extra_whitespaces) {
    spec.normalizers.emplace_back(normalizer::Strip{});
    spec.normalizers.emplace_back(replacement<normalizer::Replace>(" {2,}", true, " "));
  }
  if (normalizer.add_dummy_prefix) spec.normalizers.emplace_back(normalizer::Prepend{mark});
  spec.normalizers.emplace_back(replacement<normalizer::Replace>(" ", false, mark));
  spec.decoders.emplace_back(replacement<decoder::Replace>(mark, false, " "));
  if (byte_fallback) spec.decoders.emplace_back(decoder::ByteFallback{});
  spec.decoders.emplace_back(decoder::Fuse{});
  if (normalizer.add_dummy_prefix) spec.decoders.emplace_back(decoder::Strip{" ", 1, 0});
}

TokenizerSpec bpe_form(const TokenizerSpec& sentencepiece, const model::SentencePiece& model,
                       const normalizer::SentencePiece& normalizer) {
  TokenizerSpec spec;
  add_stages(normalizer, model.byte_fallback, spec);
  spec.vocabulary = sentencepiece.vocabulary;
  spec.post_processors = sentencepiece.post_processors;
  model::Bpe bpe;
  bpe.merges = merges_of(sentencepiece, model);
  bpe.fuse_unk = true;
  bpe.byte_fallback = model.byte_fallback;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const PieceType type = model.types[static_cast<size_t>(entry.id)];
    if (type == PieceType::unknown) bpe.unk_token = entry.token;
    if (type != PieceType::unknown && type != PieceType::control && type != PieceType::user_defined) continue;
    AddedToken token;
    token.id = entry.id;
    token.content = entry.token;
    token.special = type != PieceType::user_defined;
    spec.added_tokens.push_back(std::move(token));
  }
  spec.model = std::move(bpe);
  return spec;
}

}  // namespace

TokenizerSpec to_hugging_face(const TokenizerSpec& sentencepiece) {
  const auto* const model = std::get_if<model::SentencePiece>(&sentencepiece.model);
  if (model == nullptr || sentencepiece.normalizers.size() != 1 ||
      !std::holds_alternative<normalizer::SentencePiece>(sentencepiece.normalizers.front())) {
    fail("only a SentencePiece tokenizer is converted to Hugging Face's form");
  }
  const auto& normalizer = std::get<normalizer::SentencePiece>(sentencepiece.normalizers.front());
  using Type = model::SentencePiece::Type;
  if ((model->type != Type::bpe && model->type != Type::unigram) || normalizer.treat_whitespace_as_suffix) {
    fail(
        "tokenizer.json has no form for SentencePiece's models of words and characters and for white space as a "
        "suffix: save the tokenizer as tokenizer.model");
  }
  return model->type == Type::bpe ? bpe_form(sentencepiece, *model, normalizer) : hugging_face_form(sentencepiece);
}

}  // namespace sesame
