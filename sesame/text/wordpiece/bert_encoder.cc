#include "sesame/text/wordpiece/bert_encoder.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "sesame/base/hash.h"
#include "sesame/text/encode/piece_cache.h"
#include "sesame/text/encode/pipeline_encoder.h"
#include "sesame/text/encode/word_cache.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/text/wordpiece/bert_characters.h"
#include "sesame/text/wordpiece/scan_words.h"
#include "sesame/text/wordpiece/wordpiece_model.h"

namespace sesame {
namespace {

/// The model of another owner.
class SharedModel : public TokenModel {
 public:
  explicit SharedModel(const WordPieceModel& model) : model_(model) {}
  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override { return model_.make_scratch(); }
  void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const override {
    model_.encode(piece, scratch, tokens);
  }

 private:
  const WordPieceModel& model_;
};

bool is_utf8(std::string_view text) { return find_invalid_utf8(text) == text.size(); }

class BertEncoder : public TextEncoder {
 public:
  BertEncoder(const TokenizerSpec& spec, const BertCharacters& characters, std::string_view origin)
      : characters_(characters),
        model_(std::get<model::WordPiece>(spec.model), spec),
        pipeline_(spec, std::make_unique<SharedModel>(model_), origin) {}

  [[nodiscard]] std::unique_ptr<State> make_state() const override { return std::make_unique<Buffers>(); }

  void encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const override {
    auto& buffers = static_cast<Buffers&>(state);
    WordScan& scan = buffers.scan;
    begin_scan(scan, text);
    while (scan.text < scan.end) {
      scan_words(characters_, scan);
      emit_words(buffers, ids);
      if (scan.joins) emit_joined_word(text, start, buffers, ids);
    }
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override {
    for (size_t at = from; at < text.size();) {
      const Utf8Char c = decode_utf8(text, at);
      if (c.valid) {
        const BertCharacters::Kind kind = characters_.of(c.code).kind();
        if (kind == BertCharacters::space || kind == BertCharacters::alone) return at;
      }
      at += c.length;
    }
    return text.size();
  }

 private:
  struct Place {
    WordCache::Key key;
    uint64_t hash;
  };
  struct Buffers : State {
    WordScan scan;
    WordCache cache;
    PieceCache long_words;
    PieceTrie::Scratch scratch;
    std::array<Place, WordScan::max_words> places;
    std::string cleaned;
    std::unique_ptr<State> pipeline_state;
  };

  static void begin_scan(WordScan& scan, std::string_view text) {
    scan.text = text.data();
    scan.end = text.data() + text.size();
    scan.begun = scan.ended = 0;
    scan.joins = false;
    scan.raw_end = nullptr;
  }

  /// Appends the pieces of the text around bytes that may join, from the last word boundary to the next cut.
  void emit_joined_word(std::string_view text, StretchStart start, Buffers& buffers, IdBuffer& ids) const {
    const auto at = static_cast<size_t>(buffers.scan.text - text.data());
    const size_t begin = last_boundary(text, at);
    const size_t end = next_cut(text, at);
    const std::string_view stretch = text.substr(begin, end - begin);
    if (!emit_cleaned(stretch, buffers, ids)) {
      if (buffers.pipeline_state == nullptr) buffers.pipeline_state = pipeline_.make_state();
      pipeline_.encode(stretch, begin == 0 ? start : StretchStart::none, *buffers.pipeline_state, ids);
    }
    begin_scan(buffers.scan, text.substr(end));
  }

  /// Appends the pieces of a stretch, cleaning it first, which joins most of what joins at all; false, and no ids,
  /// where something is left that may.
  bool emit_cleaned(std::string_view stretch, Buffers& buffers, IdBuffer& ids) const {
    if (!characters_.clean(stretch, buffers.cleaned)) return false;
    const size_t before = ids.size();
    WordScan& scan = buffers.scan;
    begin_scan(scan, buffers.cleaned);
    while (scan.text < scan.end) {
      scan_words(characters_, scan);
      emit_words(buffers, ids);
      if (!scan.joins) continue;
      ids.truncate(before);
      return false;
    }
    return true;
  }

  /// Behind the last character before `at` that ends words.
  [[nodiscard]] size_t last_boundary(std::string_view text, size_t at) const {
    while (at-- > 0) {
      const Utf8Char c = decode_utf8(text, at);
      if (c.valid && characters_.ends_words(characters_.of(c.code))) return at + c.length;
    }
    return 0;
  }

  /// Appends the pieces of the words that were found.
  void emit_words(Buffers& buffers, IdBuffer& ids) const {
    const WordScan& scan = buffers.scan;
    if (scan.ended == 0) return;
    for (size_t i = 0; i < scan.ended; ++i) {
      Place& place = buffers.places[i];
      place.key = WordCache::key_of_padded(scan.bytes.data() + scan.begins[i], scan.ends[i] - scan.begins[i]);
      place.hash = WordCache::hash(place.key);
      buffers.cache.prefetch(place.hash);
    }
    // A piece has at least one byte of its word.
    int32_t* out = ids.reserve(scan.ends[scan.ended - 1] - scan.begins[0] + WordCache::room);
    const int32_t* const begin = out;
    for (size_t i = 0; i < scan.ended; ++i) {
      const size_t count = buffers.cache.copy(buffers.places[i].key, buffers.places[i].hash, out);
      out += count != 0 ? count : emit_rare_word(buffers, i, out);
    }
    ids.commit(static_cast<size_t>(out - begin));
  }

  /// Writes the pieces of a word that the cache of short words does not hold, and returns how many.
  size_t emit_rare_word(Buffers& buffers, size_t i, int32_t* out) const {
    const WordScan& scan = buffers.scan;
    const std::string_view word(scan.bytes.data() + scan.begins[i], scan.ends[i] - scan.begins[i]);
    // Such words are seldom the same again: they would only fill the caches.
    if (scan.raw_end != nullptr && !is_utf8(word)) {
      *out = model_.unknown(word);
      return 1;
    }
    if (word.size() <= WordCache::max_word) {
      const size_t count = match(word, buffers, out);
      buffers.cache.put(buffers.places[i].key, buffers.places[i].hash, {out, count});
      return count;
    }
    const uint64_t hash = xxh3(word);
    if (const auto known = buffers.long_words.find(word, hash); !known.empty()) {
      std::copy(known.begin(), known.end(), out);
      return known.size();
    }
    const size_t count = match(word, buffers, out);
    buffers.long_words.put(word, hash, {out, count});
    return count;
  }

  size_t match(std::string_view word, Buffers& buffers, int32_t* out) const {
    if (!model_.match(word, buffers.scratch)) {
      *out = model_.unknown(word);
      return 1;
    }
    size_t count = 0;
    for (const PieceTrie::Match& match : buffers.scratch.pieces) out[count++] = match.id;
    return count;
  }

  const BertCharacters& characters_;
  WordPieceModel model_;
  PipelineEncoder pipeline_;  // for bytes that may join
};

}  // namespace

std::unique_ptr<TextEncoder> make_bert_encoder(const TokenizerSpec& spec, std::string_view origin) {
  const bool bert_words =
      spec.pre_tokenizers.size() == 1 && std::holds_alternative<pre_tokenizer::Bert>(spec.pre_tokenizers[0]);
  if (!bert_words || !std::holds_alternative<model::WordPiece>(spec.model)) return nullptr;
  // So that words that are not UTF-8 are unknown.
  const auto is_text = [](const VocabularyEntry& entry) { return is_utf8(entry.token); };
  if (!is_utf8(std::get<model::WordPiece>(spec.model).continuing_subword_prefix) ||
      !std::all_of(spec.vocabulary.begin(), spec.vocabulary.end(), is_text)) {
    return nullptr;
  }
  const BertCharacters* characters = nullptr;
  if (spec.normalizers.empty()) {
    characters = &BertCharacters::get_without_normalizer();
  } else if (spec.normalizers.size() == 1 && std::holds_alternative<normalizer::Bert>(spec.normalizers[0])) {
    characters = &BertCharacters::get(std::get<normalizer::Bert>(spec.normalizers[0]));
  } else {
    return nullptr;
  }
  return std::make_unique<BertEncoder>(spec, *characters, origin);
}

}  // namespace sesame
