#include "sesame/text/sentencepiece/sentencepiece_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "sesame/text/sentencepiece/joined_characters.h"
#include "sesame/text/sentencepiece/piece_segmenter.h"
#include "sesame/text/sentencepiece/piece_vocabulary.h"
#include "sesame/text/sentencepiece/segment_cache.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/sentencepiece/word_reader.h"

namespace sesame {
namespace {

/// The spaces that end a normalized text, in bytes.
size_t space_tail(std::string_view normalized) {
  size_t tail = 0;
  while (normalized.substr(0, normalized.size() - tail).ends_with(space_symbol)) tail += space_symbol.size();
  return tail;
}

bool continues_spaces(const PieceVocabulary::Piece& piece) {
  const std::string_view text = piece.first;
  size_t begin = 0;
  while (text.substr(begin).starts_with(space_symbol)) begin += space_symbol.size();
  return text.find(space_symbol, begin) != std::string_view::npos;
}

class SentencePieceEncoder : public TextEncoder {
 public:
  SentencePieceEncoder(const TokenizerSpec& spec, const model::SentencePiece& model, std::string_view origin)
      : vocabulary_(spec, model),
        normalizer_(std::get<normalizer::SentencePiece>(spec.normalizers.front()), vocabulary_.user_symbols(), origin),
        segmenter_(make_segmenter(vocabulary_, model, origin)),
        scores_(segmenter_->piece_scores()),
        joined_(vocabulary_.text_pieces()) {
    const auto& pieces = vocabulary_.text_pieces();
    cuts_words_ = normalizer_.cuts_before_spaces() && std::none_of(pieces.begin(), pieces.end(), continues_spaces);
  }

  [[nodiscard]] std::unique_ptr<State> make_state() const override {
    auto state = std::make_unique<Buffers>();
    state->scratch = segmenter_->make_scratch();
    return state;
  }

  void encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const override;

  /// Sums of scores go through a whole text, so that a unigram model's text is not cut.
  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override {
    if (!cuts_words_ || !scores_.empty()) return text.size();
    for (size_t cut = text.find(' ', from); cut < text.size(); cut = text.find(' ', cut + 1)) {
      if (normalizer_.copies_ascii(static_cast<uint8_t>(text[cut - 1]))) return cut;
    }
    return text.size();
  }

 private:
  struct Buffers : State {
    SegmentCache words{16};  // by what stands in the text
    SegmentCache parts{14};  // by normalized text
    std::unique_ptr<PieceSegmenter::Scratch> scratch;
    std::string normalized;
    std::vector<PieceToken> pieces;
    std::vector<PieceToken> tokens;
  };
  class Run;

  PieceVocabulary vocabulary_;
  SentencePieceNormalizer normalizer_;
  std::unique_ptr<PieceSegmenter> segmenter_;
  std::span<const float> scores_;
  JoinedCharacters joined_;
  bool cuts_words_ = false;
};

/// The encoding of one stretch of text.
class SentencePieceEncoder::Run {
 public:
  Run(const SentencePieceEncoder& encoder, Buffers& buffers, IdBuffer& ids)
      : encoder_(encoder), buffers_(buffers), ids_(ids), has_sums_(!encoder.scores_.empty()) {}

  void encode_whole(std::string_view text);
  void encode_words(std::string_view text, StretchStart start);

 private:
  /// What is known of a word or a part while its pieces are found, for its cache.
  struct Found {
    size_t pieces = 0;
    float magnitude = 0;  // sum of the absolute scores
    float limit = std::numeric_limits<float>::infinity();
    bool begins_unknown = false;
    void add(const Found& part) {
      if (pieces == 0) begins_unknown = part.begins_unknown;
      pieces += part.pieces;
      magnitude += part.magnitude;
      limit = std::min(limit, part.limit);
    }
  };

  template <bool with_sums>
  size_t encode_batch(std::string_view text, std::span<const WordReader::Word> words, bool& after_character);
  [[nodiscard]] bool append_known(const SegmentCache::Entry& entry, Found* found);
  void encode_normalized(std::string_view text, Found* word);
  void encode_part(std::string_view part, Found* word);
  Found segment(std::string_view part);
  void remember(SegmentCache& cache, std::string_view text, const Found& found, size_t first_id);
  void encode_word(std::string_view word, bool& after_character);

  const SentencePieceEncoder& encoder_;
  Buffers& buffers_;
  IdBuffer& ids_;
  bool has_sums_;
  SentencePieceNormalizer::Progress progress_;
  SegmentScore score_;
  bool previous_unknown_ = false;
};

void SentencePieceEncoder::Run::encode_whole(std::string_view text) {
  buffers_.normalized.clear();
  encoder_.normalizer_.append(text, progress_, buffers_.normalized);
  encoder_.normalizer_.finish(progress_, buffers_.normalized);
  encode_normalized(buffers_.normalized, nullptr);
}

void SentencePieceEncoder::Run::encode_words(std::string_view text, StretchStart start) {
  // Behind a character that is no space symbol, a word depends on nothing that stands before it.
  bool after_character = start == StretchStart::none;
  if (after_character) progress_ = SentencePieceNormalizer::Progress::inside();
  buffers_.normalized.clear();
  WordReader reader(text);
  for (size_t i = 0; i < text.size();) {
    if (after_character) {
      const std::span<const WordReader::Word> words = reader.read(i, buffers_.words);
      i = has_sums_ ? encode_batch<true>(text, words, after_character)
                    : encode_batch<false>(text, words, after_character);
    } else {
      const size_t end = WordReader::word_end(text, i);
      encode_word(text.substr(i, end - i), after_character);
      i = end;
    }
  }
  encoder_.normalizer_.finish(progress_, buffers_.normalized);
  encode_normalized(buffers_.normalized, nullptr);
}

/// Appends the ids of words, to the first one behind which the next is not free of what stands before it. Returns where
/// that is.
template <bool with_sums>
size_t SentencePieceEncoder::Run::encode_batch(std::string_view text, std::span<const WordReader::Word> words,
                                               bool& after_character) {
  const float* const scores = encoder_.scores_.data();
  const size_t room = words.size() * SegmentCache::max_ids;
  int32_t* out = ids_.reserve(room);
  int32_t* first = out;
  for (const WordReader::Word& word : words) {
    const SegmentCache::Entry* const entry = buffers_.words.find(word.key, word.place);
    bool known = entry != nullptr && entry->count != 0 && !(previous_unknown_ && entry->begins_unknown);
    if constexpr (with_sums) known = known && SegmentCache::Limit::allows(entry->limit, score_.sum);
    if (known) {
      std::memcpy(out, entry->ids.data(), sizeof entry->ids);
      if constexpr (with_sums) {
        if (entry->count == 1) {
          score_.sum += std::bit_cast<float>(entry->ids.back());
        } else {
          for (size_t k = 0; k < entry->count; ++k) score_.sum += scores[static_cast<size_t>(entry->ids[k])];
        }
      }
      out += entry->count;
      previous_unknown_ = entry->ends_unknown;
      continue;
    }
    ids_.commit(static_cast<size_t>(out - first));
    encode_word(text.substr(word.begin, word.end - word.begin), after_character);
    if (!after_character) return word.end;
    out = first = ids_.reserve(room);
  }
  ids_.commit(static_cast<size_t>(out - first));
  return words.back().end;
}

/// What has been normalized and ends in spaces waits for what follows.
void SentencePieceEncoder::Run::encode_word(std::string_view word, bool& after_character) {
  std::string& normalized = buffers_.normalized;
  // The first word gets a space symbol in front, and so is what it would be behind a space.
  std::array<char, SegmentCache::max_bytes> spaced;
  const bool gets_prefix = !progress_.begun && encoder_.normalizer_.settings().add_dummy_prefix &&
                           word.size() < spaced.size() &&
                           (encoder_.normalizer_.copies_ascii(static_cast<uint8_t>(word[0])) ||
                            (word[0] == ' ' && !encoder_.normalizer_.settings().remove_extra_whitespaces));
  const bool kept = after_character || gets_prefix;
  std::string_view kept_as = word;
  if (gets_prefix) {
    spaced[0] = ' ';
    std::memcpy(spaced.data() + 1, word.data(), word.size());
    kept_as = {spaced.data(), word.size() + 1};
    const SegmentCache::Entry* const entry = buffers_.words.find(SegmentCache::key_of(kept_as));
    if (entry != nullptr && append_known(*entry, nullptr)) {
      progress_ = SentencePieceNormalizer::Progress::inside();
      after_character = true;
      return;
    }
  }
  encoder_.normalizer_.append(word, progress_, normalized);
  if (normalized.empty()) return;
  const size_t tail = space_tail(normalized);
  const size_t first_id = ids_.size();
  const bool previous_unknown = previous_unknown_;
  Found found;
  encode_normalized(std::string_view(normalized).substr(0, normalized.size() - tail), &found);
  normalized.erase(0, normalized.size() - tail);
  after_character = tail == 0;
  if (kept && after_character && !(previous_unknown && found.begins_unknown)) {
    found.limit -= found.magnitude + 64.0F;
    remember(buffers_.words, kept_as, found, first_id);
  }
}

void SentencePieceEncoder::Run::encode_normalized(std::string_view text, Found* word) {
  encoder_.joined_.for_each_part(text, [&](std::string_view part) { encode_part(part, word); });
}

bool SentencePieceEncoder::Run::append_known(const SegmentCache::Entry& entry, Found* word) {
  if (previous_unknown_ && entry.begins_unknown) return false;
  Found found;
  found.begins_unknown = entry.begins_unknown;
  found.pieces = entry.count;
  if (has_sums_) {
    if (!SegmentCache::Limit::allows(entry.limit, score_.sum)) return false;
    found.limit = std::ldexp(1.0F, entry.limit - 1);
    for (size_t k = 0; k < entry.count; ++k) {
      const float score = encoder_.scores_[static_cast<size_t>(entry.ids[k])];
      score_.sum += score;
      found.magnitude += std::abs(score);
    }
  }
  ids_.append({entry.ids.data(), entry.count});
  previous_unknown_ = entry.ends_unknown;
  if (word != nullptr) word->add(found);
  return true;
}

void SentencePieceEncoder::Run::encode_part(std::string_view part, Found* word) {
  // A whole word is kept as it stands in the text.
  const bool kept = part.size() <= SegmentCache::max_bytes && part.size() < buffers_.normalized.size();
  if (kept) {
    const SegmentCache::Entry* const entry = buffers_.parts.find(SegmentCache::key_of(part));
    if (entry != nullptr && append_known(*entry, word)) return;
  }
  const size_t first_id = ids_.size();
  const bool previous_unknown = previous_unknown_;
  const Found found = segment(part);
  if (kept && !(previous_unknown && found.begins_unknown)) remember(buffers_.parts, part, found, first_id);
  if (word != nullptr) word->add(found);
}

SentencePieceEncoder::Run::Found SentencePieceEncoder::Run::segment(std::string_view part) {
  std::vector<PieceToken>& pieces = buffers_.pieces;
  std::vector<PieceToken>& tokens = buffers_.tokens;
  pieces.clear();
  tokens.clear();
  encoder_.segmenter_->segment(part, *buffers_.scratch, pieces, score_);
  Found found;
  found.pieces = pieces.size();
  found.limit = score_.limit;
  found.begins_unknown =
      !pieces.empty() && pieces.front().id == encoder_.vocabulary_.unknown() && !encoder_.vocabulary_.byte_fallback();
  for (const PieceToken& piece : pieces) {
    if (has_sums_) found.magnitude += std::abs(encoder_.scores_[static_cast<size_t>(piece.id)]);
    encoder_.vocabulary_.append(part, piece, previous_unknown_, tokens);
  }
  if (encoder_.vocabulary_.byte_fallback()) previous_unknown_ = false;
  int32_t* const out = ids_.reserve(tokens.size());
  std::transform(tokens.begin(), tokens.end(), out, [](const PieceToken& token) { return token.id; });
  ids_.commit(tokens.size());
  return found;
}

/// The ids behind `first_id` are those of `text`. With sums, a text whose pieces are not its ids (unknown characters
/// joined, or spelled in bytes) is left out, since its scores would have to be kept.
void SentencePieceEncoder::Run::remember(SegmentCache& cache, std::string_view text, const Found& found,
                                         size_t first_id) {
  const std::span<const int32_t> ids = std::as_const(ids_).ids().subspan(first_id);
  if (text.size() > SegmentCache::max_bytes || ids.empty() || ids.size() > SegmentCache::max_ids) return;
  if (has_sums_ && (found.pieces != ids.size() || !(found.limit >= 1))) return;
  SegmentCache::Entry entry;
  entry.key = SegmentCache::key_of(text);
  std::copy(ids.begin(), ids.end(), entry.ids.begin());
  entry.count = static_cast<uint8_t>(ids.size());
  if (has_sums_ && ids.size() == 1) {
    entry.ids.back() = std::bit_cast<int32_t>(encoder_.scores_[static_cast<size_t>(ids[0])]);
  }
  entry.begins_unknown = found.begins_unknown;
  entry.ends_unknown = previous_unknown_;
  entry.limit = SegmentCache::Limit::pack(found.limit);
  cache.put(entry);
}

void SentencePieceEncoder::encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const {
  Run run(*this, static_cast<Buffers&>(state), ids);
  if (cuts_words_) {
    run.encode_words(text, start);
  } else {
    run.encode_whole(text);
  }
}

}  // namespace

std::unique_ptr<TextEncoder> make_sentencepiece_encoder(const TokenizerSpec& spec, std::string_view origin) {
  const auto* const model = std::get_if<model::SentencePiece>(&spec.model);
  if (model == nullptr || spec.normalizers.size() != 1 || !spec.pre_tokenizers.empty() ||
      !std::holds_alternative<normalizer::SentencePiece>(spec.normalizers.front())) {
    return nullptr;
  }
  using Type = model::SentencePiece::Type;
  const bool has_unused =
      std::find(model->types.begin(), model->types.end(), model::PieceType::unused) != model->types.end();
  if (model->type == Type::unigram || (model->type == Type::bpe && !has_unused)) {
    return std::make_unique<SentencePieceEncoder>(spec, *model, origin);
  }
  return make_plain_sentencepiece_encoder(spec, origin);
}

}  // namespace sesame
