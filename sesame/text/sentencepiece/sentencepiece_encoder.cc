#include "sesame/text/sentencepiece/sentencepiece_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

#include "sesame/text/sentencepiece/character_cache.h"
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

/// Whether a space symbol stands behind something else in a piece, so that pieces go across the begin of a word.
bool continues_spaces(const PieceVocabulary::Piece& piece) {
  const std::string_view text = piece.first;
  size_t begin = 0;
  while (text.substr(begin).starts_with(space_symbol)) begin += space_symbol.size();
  return text.find(space_symbol, begin) != std::string_view::npos;
}

bool has_line_break(const PieceVocabulary::Piece& piece) { return piece.first.find('\n') != std::string_view::npos; }

class SentencePieceEncoder : public TextEncoder {
 public:
  SentencePieceEncoder(const TokenizerSpec& spec, const model::SentencePiece& model, std::string_view origin)
      : vocabulary_(spec, model),
        normalizer_(std::get<normalizer::SentencePiece>(spec.normalizers.front()), vocabulary_.user_symbols(), origin),
        segmenter_(make_segmenter(vocabulary_, model, origin)),
        scores_(segmenter_->piece_scores()),
        range_(segmenter_->score_range()),
        joined_(vocabulary_.text_pieces()),
        has_narrow_ids_(model.types.size() <= (size_t{1} << 16)) {
    const auto& pieces = vocabulary_.text_pieces();
    cuts_words_ = normalizer_.cuts_before_spaces() && std::none_of(pieces.begin(), pieces.end(), continues_spaces);
    const bool cuts_lines =
        normalizer_.cuts_before_line_breaks() && std::none_of(pieces.begin(), pieces.end(), has_line_break);
    if (cuts_lines) separator_ = '\n';
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
  /// A part of normalized text that no piece goes across the ends of.
  struct Part : SegmentCache::Segment {
    uint32_t character;  // its place in the cache of characters, or 0
  };
  struct Buffers : State {
    SegmentCache words{18};  // by what stands in the text
    SegmentCache parts{16};  // by normalized text
    CharacterCache characters;
    std::unique_ptr<PieceSegmenter::Scratch> scratch;
    std::string normalized;
    std::array<Part, 32> waiting;
    std::vector<PieceToken> pieces;
    std::vector<PieceToken> tokens;
  };
  template <bool with_sums, typename Id>
  class Run;

  PieceVocabulary vocabulary_;
  SentencePieceNormalizer normalizer_;
  std::unique_ptr<PieceSegmenter> segmenter_;
  std::span<const float> scores_;
  ScoreRange range_;
  JoinedCharacters joined_;
  bool cuts_words_ = false;
  bool has_narrow_ids_;   // all below 2^16
  char separator_ = ' ';  // of words, beside spaces
};

/// The encoding of one stretch of text. `with_sums`: by a model with scores; `Id`: what ids fit in.
template <bool with_sums, typename Id>
class SentencePieceEncoder::Run {
 public:
  Run(const SentencePieceEncoder& encoder, Buffers& buffers, IdBuffer& ids)
      : encoder_(encoder), buffers_(buffers), ids_(ids) {}

  void encode_whole(std::string_view text);
  void encode_words(std::string_view text, StretchStart start);

 private:
  static constexpr size_t most_ids = SegmentIds::most<Id>;

  /// What is known of a word or a part while its pieces are found, for its cache.
  struct Found {
    size_t pieces = 0;
    uint8_t limit = ScoreRange::highest_limit;  // the least of all parts'
    bool begins_unknown = false;
    void add(size_t part_pieces, uint8_t part_limit, bool part_begins_unknown) {
      if (pieces == 0) begins_unknown = part_begins_unknown;
      pieces += part_pieces;
      limit = std::min(limit, part_limit);
    }
  };

  [[nodiscard]] const SegmentCache::Entry* find_known(const SegmentCache& cache, const SegmentCache::Key& key,
                                                      uint32_t place) const;
  void append_known(const SegmentIds& known, int32_t*& out);
  bool append_character(uint32_t place, int32_t*& out, Found& found);
  size_t encode_batch(std::string_view text, std::span<const SegmentCache::Segment> words, bool& after_character);
  void encode_word(std::string_view word, bool& after_character);
  bool append_word(std::string_view word);
  void encode_normalized(size_t size, bool is_kept, Found& found);
  void encode_parts(std::string_view text, std::span<const Part> parts, Found& found);
  void segment(std::string_view text, const Part& part, Found& found);
  void remember(SegmentCache& cache, std::string_view text, std::span<const int32_t> ids, const Found& found,
                float sum_before);
  bool take(SegmentIds& known, std::span<const int32_t> ids, const Found& found) const;

  const SentencePieceEncoder& encoder_;
  Buffers& buffers_;
  IdBuffer& ids_;
  SentencePieceNormalizer::Progress progress_;
  SegmentScore score_;
  bool previous_unknown_ = false;
};

template <bool with_sums, typename Id>
void SentencePieceEncoder::Run<with_sums, Id>::encode_whole(std::string_view text) {
  buffers_.normalized.clear();
  encoder_.normalizer_.append(text, progress_, buffers_.normalized);
  encoder_.normalizer_.finish(progress_, buffers_.normalized);
  Found found;
  encode_normalized(buffers_.normalized.size(), false, found);
}

template <bool with_sums, typename Id>
void SentencePieceEncoder::Run<with_sums, Id>::encode_words(std::string_view text, StretchStart start) {
  // Behind a character that is no space symbol, a word depends on nothing that stands before it.
  bool after_character = start == StretchStart::none;
  if (after_character) progress_ = SentencePieceNormalizer::Progress::inside();
  buffers_.normalized.clear();
  WordReader reader(text, encoder_.separator_);
  for (size_t i = 0; i < text.size();) {
    if (after_character) {
      i = encode_batch(text, reader.read(i, buffers_.words), after_character);
    } else {
      const size_t end = reader.word_end(i);
      encode_word(text.substr(i, end - i), after_character);
      i = end;
    }
  }
  encoder_.normalizer_.finish(progress_, buffers_.normalized);
  Found found;
  encode_normalized(buffers_.normalized.size(), false, found);
}

/// The entry of a text that holds here, or null.
template <bool with_sums, typename Id>
const SegmentCache::Entry* SentencePieceEncoder::Run<with_sums, Id>::find_known(const SegmentCache& cache,
                                                                                const SegmentCache::Key& key,
                                                                                uint32_t place) const {
  const SegmentCache::Entry* entry = cache.find(key, place);
  if constexpr (with_sums) {
    if (entry != nullptr && entry->limit < encoder_.range_.limit_of(score_.sum)) {
      const uint8_t binade = encoder_.range_.binade_of(score_.sum);
      entry = binade == 0 ? nullptr : cache.find(key.variant(binade));
    }
  }
  return entry != nullptr && entry->count != 0 ? entry : nullptr;
}

/// Writes ids that are known; there is room for the most that there can be. An unknown one behind another is part of
/// that one.
template <bool with_sums, typename Id>
inline void SentencePieceEncoder::Run<with_sums, Id>::append_known(const SegmentIds& known, int32_t*& out) {
  const size_t joined = previous_unknown_ && known.begins_unknown ? 1 : 0;
  if constexpr (with_sums) {
    std::array<int32_t, most_ids> ids;
    known.write<Id>(0, ids.data());
    if (known.count == 1) {
      score_.sum += known.score();
    } else {
      for (size_t k = 0; k < known.count; ++k) score_.sum += encoder_.scores_[static_cast<size_t>(ids[k])];
    }
  }
  known.write<Id>(joined, out);
  out += known.count - joined;
  previous_unknown_ = known.ends_unknown;
}

/// The same for a character between others that it does not join: it is one piece whatever the sum is.
template <bool with_sums, typename Id>
inline bool SentencePieceEncoder::Run<with_sums, Id>::append_character(uint32_t place, int32_t*& out, Found& found) {
  const SegmentIds& known = buffers_.characters.find(place);
  if (known.count == 0) return false;
  if constexpr (with_sums) score_.sum = ScoreRange::set_back(score_.sum);
  found.add(known.count, ScoreRange::highest_limit, known.begins_unknown);
  append_known(known, out);
  return true;
}

/// Appends the ids of words, to the first one behind which the next is not free of what stands before it. Returns where
/// that is.
template <bool with_sums, typename Id>
size_t SentencePieceEncoder::Run<with_sums, Id>::encode_batch(std::string_view text,
                                                              std::span<const SegmentCache::Segment> words,
                                                              bool& after_character) {
  const size_t room = words.size() * most_ids;
  int32_t* out = ids_.reserve(room);
  int32_t* first = out;
  for (const SegmentCache::Segment& word : words) {
    if (const auto* const entry = find_known(buffers_.words, word.key, word.place)) {
      append_known(*entry, out);
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
template <bool with_sums, typename Id>
void SentencePieceEncoder::Run<with_sums, Id>::encode_word(std::string_view word, bool& after_character) {
  std::string& normalized = buffers_.normalized;
  // The first word gets a space symbol in front, and so is what it would be behind a space.
  std::array<char, SegmentCache::max_bytes> spaced;
  const bool gets_prefix = !progress_.begun && encoder_.normalizer_.settings().add_dummy_prefix &&
                           word.size() < spaced.size() &&
                           (encoder_.normalizer_.copies_ascii(static_cast<uint8_t>(word[0])) ||
                            (word[0] == ' ' && !encoder_.normalizer_.settings().remove_extra_whitespaces));
  std::string_view kept_as = word;
  if (gets_prefix) {
    spaced[0] = ' ';
    std::memcpy(spaced.data() + 1, word.data(), word.size());
    kept_as = {spaced.data(), word.size() + 1};
    if (append_word(kept_as)) {
      progress_ = SentencePieceNormalizer::Progress::inside();
      after_character = true;
      return;
    }
  }
  const bool may_be_kept = (after_character || gets_prefix) && kept_as.size() <= SegmentCache::max_bytes;
  encoder_.normalizer_.append(word, progress_, normalized);
  if (normalized.empty()) return;
  const size_t tail = space_tail(normalized);
  const size_t size = normalized.size() - tail;
  after_character = tail == 0;
  const bool is_kept = may_be_kept && after_character && size <= ScoreRange::most_bytes;
  const size_t first_id = ids_.size();
  const bool previous_unknown = previous_unknown_;
  const float sum_before = score_.sum;
  Found found;
  encode_normalized(size, is_kept, found);
  normalized.erase(0, size);
  if (is_kept && !(previous_unknown && found.begins_unknown)) {
    remember(buffers_.words, kept_as, std::as_const(ids_).ids().subspan(first_id), found, sum_before);
  }
}

/// Appends the ids of a short word that is in the cache.
template <bool with_sums, typename Id>
bool SentencePieceEncoder::Run<with_sums, Id>::append_word(std::string_view word) {
  const SegmentCache::Key key = SegmentCache::key_of(word);
  const auto* const entry = find_known(buffers_.words, key, buffers_.words.place_of(key));
  if (entry == nullptr) return false;
  int32_t* const first = ids_.reserve(most_ids);
  int32_t* out = first;
  append_known(*entry, out);
  ids_.commit(static_cast<size_t>(out - first));
  return true;
}

/// Appends the ids of the first `size` bytes of what has been normalized. `is_kept`: its words' cache gets them.
template <bool with_sums, typename Id>
void SentencePieceEncoder::Run<with_sums, Id>::encode_normalized(size_t size, bool is_kept, Found& found) {
  std::string& normalized = buffers_.normalized;
  const size_t all = normalized.size();
  normalized.append(SegmentCache::max_bytes + 1, '\0');  // so that the keys can be read
  const std::string_view text(normalized.data(), size);
  size_t count = 0;
  const auto encode_waiting = [&] {
    encode_parts(text, {buffers_.waiting.data(), count}, found);
    count = 0;
  };
  encoder_.joined_.for_each_part(text, [&](size_t begin, size_t end, uint32_t character) {
    Part& part = buffers_.waiting[count++];
    // A whole word is kept as it stands in the text.
    part = {{begin, end, {}, 0}, character};
    if (part.character != 0) {
      buffers_.characters.prefetch(part.character);
    } else if (end - begin <= SegmentCache::max_bytes && !(is_kept && end - begin == size)) {
      part.key = SegmentCache::key_of_readable(text.data() + begin, end - begin);
      part.place = buffers_.parts.place_of(part.key);
      buffers_.parts.prefetch(part.place);
    }
    if (count == buffers_.waiting.size()) encode_waiting();
  });
  encode_waiting();
  normalized.resize(all);
}

template <bool with_sums, typename Id>
void SentencePieceEncoder::Run<with_sums, Id>::encode_parts(std::string_view text, std::span<const Part> parts,
                                                            Found& found) {
  const size_t room = parts.size() * most_ids;
  int32_t* out = ids_.reserve(room);
  int32_t* first = out;
  for (const Part& part : parts) {
    if (part.character != 0) {
      if (append_character(part.character, out, found)) continue;
    } else if (part.key.high != 0) {
      if (const auto* const entry = find_known(buffers_.parts, part.key, part.place)) {
        found.add(entry->count, entry->limit, entry->begins_unknown);
        append_known(*entry, out);
        continue;
      }
    }
    ids_.commit(static_cast<size_t>(out - first));
    segment(text.substr(part.begin, part.end - part.begin), part, found);
    out = first = ids_.reserve(room);
  }
  ids_.commit(static_cast<size_t>(out - first));
}

/// Finds the pieces of a part and appends its ids, which are kept where the part has a key or is a character.
template <bool with_sums, typename Id>
void SentencePieceEncoder::Run<with_sums, Id>::segment(std::string_view text, const Part& part, Found& found) {
  const PieceVocabulary& vocabulary = encoder_.vocabulary_;
  std::vector<PieceToken>& pieces = buffers_.pieces;
  std::vector<PieceToken>& tokens = buffers_.tokens;
  pieces.clear();
  tokens.clear();
  const float sum_before = score_.sum;
  encoder_.segmenter_->segment(text, *buffers_.scratch, pieces, score_);
  const bool begins_unknown =
      !pieces.empty() && pieces.front().id == vocabulary.unknown() && !vocabulary.byte_fallback();
  bool ends_unknown = false;
  for (const PieceToken& piece : pieces) vocabulary.append(text, piece, ends_unknown, tokens);
  const size_t first_id = ids_.size();
  int32_t* const out = ids_.reserve(tokens.size());
  std::transform(tokens.begin(), tokens.end(), out, [](const PieceToken& token) { return token.id; });
  ids_.commit(tokens.size());
  const bool joined = previous_unknown_ && begins_unknown;
  previous_unknown_ = ends_unknown && !vocabulary.byte_fallback();
  Found of_part;
  of_part.add(pieces.size(), score_.limit, begins_unknown);
  found.add(pieces.size(), score_.limit, begins_unknown);
  const std::span<const int32_t> ids = std::as_const(ids_).ids().subspan(first_id);
  if (part.character != 0) {
    SegmentIds known;
    if (take(known, ids, of_part)) buffers_.characters.put(part.character, known);
  } else if (part.key.high != 0) {
    remember(buffers_.parts, text, ids, of_part, sum_before);
  }
  if (joined) {
    std::copy(out + 1, out + tokens.size(), out);
    ids_.truncate(ids_.size() - 1);
  }
}

template <bool with_sums, typename Id>
void SentencePieceEncoder::Run<with_sums, Id>::remember(SegmentCache& cache, std::string_view text,
                                                        std::span<const int32_t> ids, const Found& found,
                                                        float sum_before) {
  SegmentCache::Entry entry;
  if (!take(entry, ids, found)) return;
  entry.key = SegmentCache::key_of(text);
  if (with_sums && found.limit == 0) {
    const uint8_t binade = encoder_.range_.binade_of(sum_before);
    if (binade == 0) return;
    // An entry without ids says that there are variants.
    if (cache.find(entry.key) == nullptr) {
      SegmentCache::Entry none;
      none.key = entry.key;
      cache.put(none);
    }
    entry.key = entry.key.variant(binade);
  }
  cache.put(entry);
}

/// Takes what was found if a cache can keep it. With sums, a text whose pieces are not its ids (unknown characters
/// joined, or spelled in bytes) is left out, since its scores would have to be kept.
template <bool with_sums, typename Id>
bool SentencePieceEncoder::Run<with_sums, Id>::take(SegmentIds& known, std::span<const int32_t> ids,
                                                    const Found& found) const {
  if (ids.empty() || (with_sums && found.pieces != ids.size()) || !known.take<Id>(ids)) return false;
  if (with_sums && ids.size() == 1) known.set_score(encoder_.scores_[static_cast<size_t>(ids[0])]);
  known.begins_unknown = found.begins_unknown;
  known.ends_unknown = previous_unknown_;
  known.limit = found.limit;
  return true;
}

void SentencePieceEncoder::encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const {
  const auto run = [&]<typename Id>(Id, auto with_sums) {
    Run<with_sums, Id> stretch(*this, static_cast<Buffers&>(state), ids);
    if (cuts_words_) {
      stretch.encode_words(text, start);
    } else {
      stretch.encode_whole(text);
    }
  };
  const auto run_with = [&](auto with_sums) {
    if (has_narrow_ids_) {
      run(uint16_t{}, with_sums);
    } else {
      run(int32_t{}, with_sums);
    }
  };
  if (scores_.empty()) {
    run_with(std::false_type{});
  } else {
    run_with(std::true_type{});
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
