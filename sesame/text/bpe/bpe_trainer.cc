#include "sesame/text/bpe/bpe_trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/bpe/train/merge_trainer.h"
#include "sesame/text/bpe/train/recorded_merges.h"

namespace sesame {
namespace {

using ByteIds = std::array<uint32_t, 256>;

/// Adds the 256 bytes in the order of their ids.
ByteIds add_bytes(TokenList& tokens, BpeIds ids) {
  std::array<uint8_t, 256> order;
  for (size_t b = 0; b < order.size(); ++b) order[b] = static_cast<uint8_t>(b);
  if (ids == BpeIds::hugging_face) {
    std::sort(order.begin(), order.end(),
              [](uint8_t a, uint8_t b) { return byte_to_code_point(a) < byte_to_code_point(b); });
  }
  ByteIds of_bytes;
  for (const uint8_t b : order) of_bytes[b] = static_cast<uint32_t>(tokens.add(std::string(1, static_cast<char>(b))));
  return of_bytes;
}

void check(const BpeTrainerOptions& options, size_t special_tokens) {
  const auto least = static_cast<int32_t>(special_tokens) + 256;
  if (options.vocabulary_size < least || options.vocabulary_size > max_token_id) {
    fail_usage(
        fmt::format("a byte-level BPE vocabulary of {} is not possible: expected {} (256 bytes and {} special "
                    "tokens) to {}",
                    options.vocabulary_size, least, least - 256, max_token_id));
  }
}

MergeRules rules_of(const BpeTrainerOptions& options, int32_t vocabulary_size) {
  MergeRules rules;
  rules.tie = options.tie;
  const bool own_ids = !options.one_id_per_token || options.tie == BpeTie::first_position;
  rules.equal_token = own_ids ? EqualToken::another : EqualToken::one;
  rules.vocabulary_size = vocabulary_size;
  rules.min_frequency = std::max<int64_t>(options.min_frequency, 1);
  if (options.max_token_length) rules.max_symbols = std::max<uint64_t>(*options.max_token_length, 1) - 1;
  rules.counts_outlive_merges = options.tie == BpeTie::smallest_ids && !own_ids;
  rules.disjoint_runs = options.tie == BpeTie::earliest_tokens;
  return rules;
}

}  // namespace

TrainedBpe learn_byte_level_bpe(std::span<const WordCount> words, const std::vector<std::string>& special_tokens,
                                const BpeTrainerOptions& options) {
  check(options, special_tokens.size());
  if (words.empty()) fail("there is no text to train a tokenizer on: every document was empty");
  const bool specials_first = options.ids == BpeIds::hugging_face;
  TokenList tokens;
  if (specials_first) {
    for (const std::string& token : special_tokens) tokens.add(token, static_cast<uint32_t>(token.size()));
  }
  const ByteIds byte_ids = add_bytes(tokens, options.ids);
  const auto symbolize = [&](std::string_view word, uint32_t* symbols) {
    for (const char c : word) *symbols++ = byte_ids[static_cast<uint8_t>(c)];
    return word.size();
  };
  ThreadPool threads(options.threads);
  SymbolText text(words, symbolize, options.tie != BpeTie::first_position, threads);
  const int32_t behind = specials_first ? 0 : static_cast<int32_t>(special_tokens.size());
  MergeRules rules = rules_of(options, options.vocabulary_size - behind);
  if (options.progress) {
    rules.progress = [&](int64_t pair_count, uint64_t memory_bytes) {
      options.progress({tokens.size() + behind, options.vocabulary_size, pair_count, memory_bytes});
    };
  }
  TrainedBpe trained;
  trained.merges = recorded_merges(MergeTrainer(text, tokens, rules, threads).run(), rules);
  for (int32_t id = 0; id < tokens.size(); ++id) trained.tokens.push_back(tokens.text(id));
  if (!specials_first) trained.tokens.insert(trained.tokens.end(), special_tokens.begin(), special_tokens.end());
  return trained;
}

Tokenizer train_byte_level_bpe(const WordCounter& words, const BpeTrainerOptions& options) {
  const std::vector<std::string>& specials = words.special_tokens();
  check(options, specials.size());
  const bool in_order = options.tie == BpeTie::first_position;
  const std::vector<WordCount> counts = in_order ? words.counts() : words.unordered_counts();
  TrainedBpe trained = learn_byte_level_bpe(counts, specials, options);

  TokenizerSpec spec;
  const size_t first_special = options.ids == BpeIds::hugging_face ? 0 : trained.tokens.size() - specials.size();
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < trained.tokens.size(); ++i) {
    const std::string& bytes = trained.tokens[i];
    const auto id = static_cast<int32_t>(i);
    const bool special = i - first_special < specials.size();
    if (!seen.insert(bytes).second) continue;
    spec.vocabulary.push_back({special ? bytes : spell_bytes(bytes), id});
    if (special) spec.added_tokens.push_back(special_token(bytes, id));
  }
  model::Bpe bpe;
  bpe.merges = merges_of_first_ids(std::move(trained.merges), trained.tokens);
  spec.model = std::move(bpe);
  set_byte_level_stages(spec, words.pattern());
  return Tokenizer(std::move(spec), "trained BPE tokenizer");
}

}  // namespace sesame
