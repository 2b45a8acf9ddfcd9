#include "sesame/text/encode/pipeline_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sesame/text/encode/word_cache.h"

namespace sesame {
namespace {

/// Whether no token holds U+2581 after another character: then no merge crosses the place before a run of U+2581.
bool cuts_before_runs(const TokenizerSpec& spec) {
  const auto continues = [](const VocabularyEntry& entry) {
    bool other = false;
    for (size_t i = 0; i < entry.token.size();) {
      const Utf8Char c = decode_utf8(entry.token, i);
      if (c.code == 0x2581 && other) return true;
      other = other || c.code != 0x2581;
      i += c.length;
    }
    return false;
  };
  const auto is_mark = [](const VocabularyEntry& entry) { return entry.token == "\xE2\x96\x81"; };
  return std::any_of(spec.vocabulary.begin(), spec.vocabulary.end(), is_mark) &&
         std::none_of(spec.vocabulary.begin(), spec.vocabulary.end(), continues);
}

}  // namespace

struct PipelineEncoder::Buffers : TextEncoder::State {
  WordCache cache;
  std::unique_ptr<TokenModel::Scratch> scratch;
  std::vector<PieceToken> tokens;
};

PipelineEncoder::PipelineEncoder(const TokenizerSpec& spec, std::unique_ptr<const TokenModel> model,
                                 std::string_view origin)
    : normalizer_(spec.normalizers, fmt::format("{}: normalizer", origin)),
      pre_tokenizer_(spec.pre_tokenizers, origin, sees_bytes(spec)),
      model_(std::move(model)) {
  const auto* bpe = std::get_if<model::Bpe>(&spec.model);
  // With ignore_merges a piece that is a token is that token, and so pieces must stay as they are.
  if (bpe != nullptr && !bpe->ignore_merges && !sees_bytes(spec) && cuts_before_runs(spec)) {
    pre_tokenizer_.split_before_runs_of("\xE2\x96\x81");
  }
}

std::unique_ptr<TextEncoder::State> PipelineEncoder::make_state() const {
  auto buffers = std::make_unique<Buffers>();
  buffers->scratch = model_->make_scratch();
  return buffers;
}

void PipelineEncoder::encode_piece(std::string_view piece, Buffers& buffers, IdBuffer& ids) const {
  const bool is_short = piece.size() <= WordCache::max_word && !piece.empty();
  const WordCache::Key key = is_short ? WordCache::key(piece) : WordCache::Key{};
  const uint64_t hash = WordCache::hash(key);
  if (is_short) {
    if (const size_t known = buffers.cache.copy(key, hash, ids.reserve(WordCache::room)); known > 0) {
      return ids.commit(known);
    }
  }
  buffers.tokens.clear();
  model_->encode(piece, *buffers.scratch, buffers.tokens);
  int32_t* const out = ids.reserve(buffers.tokens.size());
  std::transform(buffers.tokens.begin(), buffers.tokens.end(), out, [](const PieceToken& token) { return token.id; });
  ids.commit(buffers.tokens.size());
  if (is_short) buffers.cache.put(key, hash, {out, buffers.tokens.size()});
}

void PipelineEncoder::encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const {
  auto& buffers = static_cast<Buffers&>(state);
  const auto encode_one = [&](PlainView piece) { encode_piece(piece.text, buffers, ids); };
  const PlainView given = plain_view(text, start == StretchStart::text);
  if (normalizer_.empty()) return pre_tokenizer_.apply(given, encode_one);
  const PlainText normalized = normalizer_.apply(given);
  pre_tokenizer_.apply(PlainView(normalized), encode_one);
}

size_t PipelineEncoder::next_cut(std::string_view text, size_t) const { return text.size(); }

}  // namespace sesame
