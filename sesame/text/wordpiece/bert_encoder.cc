#include "sesame/text/wordpiece/bert_encoder.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "sesame/text/unicode/unicode.h"
#include "sesame/text/wordpiece/bert_characters.h"
#include "sesame/text/wordpiece/piece_cache.h"
#include "sesame/text/wordpiece/scan_words.h"
#include "sesame/text/wordpiece/wordpiece_model.h"

namespace sesame {
namespace {

class BertEncoder : public TextEncoder {
 public:
  BertEncoder(const TokenizerSpec& spec, const BertCharacters& characters)
      : characters_(characters), model_(std::get<model::WordPiece>(spec.model), spec) {}

  [[nodiscard]] const WordPieceModel& model() const { return model_; }

  [[nodiscard]] std::unique_ptr<State> make_state() const override { return std::make_unique<Buffers>(); }

  void encode(std::string_view text, StretchStart, State& state, IdBuffer& ids) const override {
    auto& buffers = static_cast<Buffers&>(state);
    WordScan& scan = buffers.scan;
    scan.text = text.data();
    scan.end = text.data() + text.size();
    scan.begun = scan.ended = 0;
    while (scan.text < scan.end) {
      scan_words(characters_, scan);
      emit_words(buffers, ids);
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
    PieceCache::Key key;
    uint32_t place;
  };
  struct Buffers : State {
    WordScan scan;
    PieceCache cache;
    PieceTrie::Scratch scratch;
    std::array<Place, WordScan::max_words> places;
  };

  /// Appends the pieces of the words that were found.
  void emit_words(Buffers& buffers, IdBuffer& ids) const {
    const WordScan& scan = buffers.scan;
    if (scan.ended == 0) return;
    for (size_t i = 0; i < scan.ended; ++i) {
      const uint32_t size = scan.ends[i] - scan.begins[i];
      Place& place = buffers.places[i];
      if (size > PieceCache::max_word) {
        place.key.high = 0;
        continue;
      }
      place.key = PieceCache::key(scan.bytes.data() + scan.begins[i], size);
      place.place = PieceCache::place(place.key);
      buffers.cache.prefetch(place.place);
    }
    // A piece has at least one byte of its word, and 16 bytes are written for every word.
    int32_t* out = ids.reserve(scan.ends[scan.ended - 1] - scan.begins[0] + 4);
    const int32_t* const begin = out;
    for (size_t i = 0; i < scan.ended; ++i) {
      const Place& place = buffers.places[i];
      const PieceCache::Entry* known = place.key.high != 0 ? buffers.cache.find(place.place, place.key) : nullptr;
      if (known != nullptr) {
        static_assert(sizeof known->ids == 12 && sizeof *known == 32);
        std::memcpy(out, known->ids.data(), sizeof known->ids);
        out += known->count;
      } else {
        out = emit_unknown_word(buffers, i, out);
      }
    }
    ids.commit(static_cast<size_t>(out - begin));
  }

  int32_t* emit_unknown_word(Buffers& buffers, size_t i, int32_t* out) const {
    const WordScan& scan = buffers.scan;
    const std::string_view word(scan.bytes.data() + scan.begins[i], scan.ends[i] - scan.begins[i]);
    int32_t* const begin = out;
    if (model_.match(word, buffers.scratch)) {
      for (const PieceTrie::Match& match : buffers.scratch.pieces) *out++ = match.id;
    } else {
      *out++ = model_.unknown(word);
    }
    const auto count = static_cast<size_t>(out - begin);
    if (word.size() <= PieceCache::max_word && count <= PieceCache::max_ids) {
      buffers.cache.put(buffers.places[i].place, buffers.places[i].key, {begin, count});
    }
    return out;
  }

  const BertCharacters& characters_;
  WordPieceModel model_;
};

}  // namespace

std::unique_ptr<TextEncoder> make_bert_encoder(const TokenizerSpec& spec, std::string_view) {
  const bool bert_words =
      spec.pre_tokenizers.size() == 1 && std::holds_alternative<pre_tokenizer::Bert>(spec.pre_tokenizers[0]);
  if (!bert_words || !std::holds_alternative<model::WordPiece>(spec.model)) return nullptr;
  const BertCharacters* characters = nullptr;
  if (spec.normalizers.empty()) {
    characters = &BertCharacters::get_without_normalizer();
  } else if (spec.normalizers.size() == 1 && std::holds_alternative<normalizer::Bert>(spec.normalizers[0])) {
    characters = &BertCharacters::get(std::get<normalizer::Bert>(spec.normalizers[0]));
  } else {
    return nullptr;
  }
  return std::make_unique<BertEncoder>(spec, *characters);
}

}  // namespace sesame
