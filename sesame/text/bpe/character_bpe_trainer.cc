#include "sesame/text/bpe/character_bpe_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/bpe/train/alphabet.h"
#include "sesame/text/bpe/train/merge_trainer.h"
#include "sesame/text/bpe/train/recorded_merges.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

/// Merges may make a special token's text too.
uint32_t characters_of(std::string_view token) {
  uint32_t characters = 0;
  for (size_t i = 0; i < token.size(); i += decode_utf8(token, i).length) ++characters;
  return characters;
}

AlphabetRules alphabet_rules(const CharacterBpeOptions& options) {
  AlphabetRules rules;
  rules.initial = options.initial_alphabet;
  rules.limit = options.limit_alphabet;
  rules.coverage = options.character_coverage;
  rules.by_frequency = options.alphabet_by_frequency;
  rules.continuing_prefix = options.continuing_subword_prefix;
  rules.last_suffix = options.end_of_word_suffix;
  rules.unknown_separates = options.byte_fallback;
  return rules;
}

MergeRules merge_rules(const CharacterBpeOptions& options) {
  const bool own_ids = options.tie == BpeTie::first_position || options.tie == BpeTie::earliest_tokens;
  MergeRules rules;
  rules.tie = options.tie;
  rules.equal_token = own_ids ? EqualToken::another : EqualToken::one;
  rules.vocabulary_size = options.vocabulary_size;
  rules.min_frequency = std::max<int64_t>(options.min_frequency, 1);
  if (options.max_token_length) rules.max_symbols = std::max<uint64_t>(*options.max_token_length, 1) - 1;
  rules.joint = options.continuing_subword_prefix;
  rules.counts_outlive_merges = options.tie == BpeTie::smallest_ids;
  rules.disjoint_runs = options.tie == BpeTie::earliest_tokens;
  return rules;
}

}  // namespace

TrainedBpe learn_character_bpe(std::span<const WordCount> words, const CharacterBpeOptions& options) {
  if (words.empty()) fail("there is no text to train a tokenizer on: every document was empty");
  if (options.vocabulary_size > max_token_id) {
    fail_usage(
        fmt::format("a vocabulary of {} is not possible: expected at most {}", options.vocabulary_size, max_token_id));
  }
  ThreadPool threads(options.threads);
  TokenList tokens;
  for (const std::string& token : options.special_tokens) tokens.add(token, characters_of(token));
  for (int byte = 0; options.byte_fallback && byte < 256; ++byte) tokens.add(byte_token(static_cast<uint8_t>(byte)));
  const AlphabetRules rules_of_alphabet = alphabet_rules(options);
  const Alphabet alphabet(words, rules_of_alphabet, tokens, threads);
  if (tokens.size() > options.vocabulary_size) {
    fail_usage(
        fmt::format("a vocabulary of {} cannot hold the {} special tokens, bytes and characters of the text: raise it, "
                    "or lower the character coverage or limit",
                    options.vocabulary_size, tokens.size()));
  }
  const auto symbolize = [&](std::string_view word, uint32_t* symbols) { return alphabet.symbolize(word, symbols); };
  SymbolText text(words, symbolize, options.tie != BpeTie::first_position, threads);
  MergeRules rules = merge_rules(options);
  if (options.progress) {
    rules.progress = [&](int64_t pair_count, uint64_t memory_bytes) {
      options.progress({tokens.size(), options.vocabulary_size, pair_count, memory_bytes});
    };
  }
  TrainedBpe trained;
  trained.merges = recorded_merges(MergeTrainer(text, tokens, rules, threads).run(), rules);
  for (int32_t id = 0; id < tokens.size(); ++id) trained.tokens.push_back(tokens.text(id));
  return trained;
}

TokenizerSpec train_character_bpe(std::span<const WordCount> words, TokenizerSpec stages,
                                  const CharacterBpeOptions& options, const std::string& unk_token) {
  TrainedBpe trained = learn_character_bpe(words, options);
  TokenizerSpec spec = std::move(stages);
  model::Bpe bpe;
  bpe.merges = merges_of_first_ids(std::move(trained.merges), trained.tokens);
  bpe.continuing_subword_prefix = options.continuing_subword_prefix;
  bpe.end_of_word_suffix = options.end_of_word_suffix;
  bpe.byte_fallback = options.byte_fallback;
  const auto& specials = options.special_tokens;
  if (std::find(specials.begin(), specials.end(), unk_token) != specials.end()) bpe.unk_token = unk_token;
  spec.model = std::move(bpe);
  add_tokens(trained.tokens, specials, spec);
  return spec;
}

void add_tokens(const std::vector<std::string>& tokens, const std::vector<std::string>& special_tokens,
                TokenizerSpec& spec) {
  StringMap ids;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    if (ids.try_emplace(tokens[i], id).second) spec.vocabulary.push_back({tokens[i], id});
  }
  for (const std::string& token : special_tokens) {
    const int32_t id = ids.at(token);
    const bool is_new = std::none_of(spec.added_tokens.begin(), spec.added_tokens.end(),
                                     [&](const AddedToken& added) { return added.id == id; });
    if (is_new) spec.added_tokens.push_back(special_token(token, id));
  }
}

}  // namespace sesame
