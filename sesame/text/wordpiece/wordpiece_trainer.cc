#include "sesame/text/wordpiece/wordpiece_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/bpe/character_bpe_trainer.h"

namespace sesame {
namespace {

int32_t special_id(const WordPieceTrainerOptions& options, const std::string& token, std::string_view what) {
  const auto& specials = options.special_tokens;
  const auto found = std::find(specials.begin(), specials.end(), token);
  if (found == specials.end()) {
    fail_usage(fmt::format("{} \"{}\" is not among the special tokens {}", what, token, fmt::join(specials, ", ")));
  }
  return static_cast<int32_t>(found - specials.begin());
}

post_processor::TemplateToken template_token(const std::string& token, int32_t id) { return {token, {id}, {token}}; }

/// [CLS] A [SEP], and of a pair B [SEP] with type 1.
post_processor::Template bert_template(const WordPieceTrainerOptions& options) {
  const std::string& cls = options.cls_token;
  const std::string& sep = options.sep_token;
  post_processor::Template around;
  around.single = {{cls, false, 0}, {"A", true, 0}, {sep, false, 0}};
  around.pair = around.single;
  around.pair.push_back({"B", true, 1});
  around.pair.push_back({sep, false, 1});
  around.special_tokens = {template_token(cls, special_id(options, cls, "cls_token")),
                           template_token(sep, special_id(options, sep, "sep_token"))};
  return around;
}

}  // namespace

TokenizerSpec bert_stages(const WordPieceTrainerOptions& options) {
  TokenizerSpec spec;
  spec.normalizers.emplace_back(options.normalizer);
  spec.pre_tokenizers.emplace_back(pre_tokenizer::Bert{});
  return spec;
}

TokenizerSpec train_wordpiece(std::span<const WordCount> words, const WordPieceTrainerOptions& options) {
  special_id(options, options.unk_token, "unk_token");
  TokenizerSpec spec = bert_stages(options);
  spec.post_processors.emplace_back(bert_template(options));
  decoder::WordPiece decoder;
  decoder.prefix = options.continuing_subword_prefix;
  spec.decoders.emplace_back(decoder);

  CharacterBpeOptions bpe;
  bpe.vocabulary_size = options.vocabulary_size;
  bpe.min_frequency = options.min_frequency;
  bpe.special_tokens = options.special_tokens;
  bpe.initial_alphabet = options.initial_alphabet;
  bpe.limit_alphabet = options.limit_alphabet;
  bpe.continuing_subword_prefix = options.continuing_subword_prefix;
  bpe.threads = options.threads;
  bpe.progress = options.progress;
  add_tokens(learn_character_bpe(words, bpe).tokens, options.special_tokens, spec);

  model::WordPiece model;
  model.unk_token = options.unk_token;
  model.continuing_subword_prefix = options.continuing_subword_prefix;
  model.max_input_chars_per_word = options.max_input_chars_per_word;
  spec.model = std::move(model);
  return spec;
}

}  // namespace sesame
