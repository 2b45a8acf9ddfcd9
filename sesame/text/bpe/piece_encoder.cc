#include "sesame/text/bpe/piece_encoder.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "sesame/base/hash.h"

namespace sesame {

struct PieceEncoder::Batch {
  const char* base;
  std::span<const uint32_t> ends;
  std::array<WordCache::Key, batch> keys;
  std::array<uint64_t, batch> hashes;

  [[nodiscard]] std::string_view piece(size_t i) const noexcept {
    const uint32_t from = i == 0 ? 0 : ends[i - 1];
    return {base + from, ends[i] - from};
  }
};

void PieceEncoder::encode(std::string_view text, size_t begin, std::span<const uint32_t> ends, State& state,
                          IdBuffer& ids) const {
  if (ends.empty()) return;
  assert(ends.size() <= batch);
  Batch pieces;
  pieces.base = text.data() + begin;
  pieces.ends = ends;
  const size_t readable = text.size() - begin;
  // The last pieces may lie where 16 bytes can't be read.
  size_t padded = ends.size();
  while (padded > 0 && (padded > 1 ? ends[padded - 2] : 0) + size_t{16} > readable) --padded;
  for (size_t i = 0; i < ends.size(); ++i) {
    const std::string_view piece = pieces.piece(i);
    pieces.keys[i] = i < padded ? WordCache::key_of_padded(piece.data(), piece.size()) : WordCache::key(piece);
    pieces.hashes[i] = WordCache::hash(pieces.keys[i]);
    state.words.prefetch(pieces.hashes[i]);
  }
  // A piece has no more ids than bytes, and the cache always writes four.
  int32_t* const first = ids.reserve(ends.back() + WordCache::max_ids);
  int32_t* out = first;
  bool missed = false;
  for (size_t i = 0; i < ends.size(); ++i) {
    size_t count = state.words.copy(pieces.keys[i], pieces.hashes[i], out);
    if (count == 0) [[unlikely]] {
      if (!std::exchange(missed, true)) encode_missed_words(pieces, i, state);
      count = encode_piece(pieces.piece(i), state, out);
    }
    out += count;
  }
  ids.commit(static_cast<size_t>(out - first));
}

void PieceEncoder::encode_missed_words(const Batch& pieces, size_t from, State& state) const {
  constexpr size_t most = 64;
  std::array<PieceMerger::Word, most> words;
  size_t count = 0;
  for (size_t i = from; i < pieces.ends.size() && count < most; ++i) {
    const std::string_view piece = pieces.piece(i);
    if (piece.empty() || piece.size() > WordCache::max_word || state.words.holds(pieces.keys[i], pieces.hashes[i])) {
      continue;
    }
    if (merger_->next_cut(piece, 0) < piece.size() || merger_->whole_piece(piece) >= 0) continue;
    words[count++].text = piece;
  }
  merger_->encode_words({words.data(), count}, state.buffers);
  for (const PieceMerger::Word& word : std::span(words).first(count)) {
    state.words.put(WordCache::key(word.text), {word.ids.data(), word.count});
  }
}

size_t PieceEncoder::encode_piece(std::string_view piece, State& state, int32_t* ids) const {
  const bool is_word = piece.size() <= WordCache::max_word;
  if (is_word) {
    std::array<int32_t, WordCache::max_ids> known;
    const WordCache::Key key = WordCache::key(piece);
    if (const size_t count = state.words.copy(key, WordCache::hash(key), known.data()); count > 0) {
      std::copy_n(known.begin(), count, ids);
      return count;
    }
  }
  // What whole_piece knows is in no cache: there the same bytes would be found as part of a piece.
  if (const int32_t id = merger_->whole_piece(piece); id >= 0) {
    *ids = id;
    return 1;
  }
  if (const size_t cut = merger_->next_cut(piece, 0); cut < piece.size()) {
    const size_t count = encode_parts(piece, cut, state, ids);
    if (is_word) state.words.put(WordCache::key(piece), {ids, count});
    return count;
  }
  return encode_whole(piece, state, ids);
}

size_t PieceEncoder::encode_parts(std::string_view piece, size_t cut, State& state, int32_t* ids) const {
  size_t count = 0;
  for (size_t begin = 0; begin < piece.size(); cut = merger_->next_cut(piece, begin)) {
    const std::string_view part = piece.substr(begin, cut - begin);
    const WordCache::Key key = WordCache::key(part);
    // Four ids are written where there may be room for fewer.
    std::array<int32_t, WordCache::max_ids> known;
    size_t part_count = state.words.copy(key, WordCache::hash(key), known.data());
    if (part_count > 0) {
      std::copy_n(known.begin(), part_count, ids + count);
    } else {
      const bool is_cached = merger_->whole_piece(part) < 0;
      part_count =
          is_cached ? encode_whole(part, state, ids + count) : merger_->encode(part, state.buffers, ids + count);
    }
    count += part_count;
    begin = cut;
  }
  return count;
}

size_t PieceEncoder::encode_whole(std::string_view piece, State& state, int32_t* ids) const {
  if (piece.size() > PieceCache::max_piece) return merger_->encode(piece, state.buffers, ids);
  const uint64_t hash = xxh3(piece);
  if (const auto known = state.pieces.find(piece, hash); !known.empty()) {
    std::copy(known.begin(), known.end(), ids);
    return known.size();
  }
  const size_t count = merger_->encode(piece, state.buffers, ids);
  if (piece.size() <= WordCache::max_word && count <= WordCache::max_ids) {
    state.words.put(WordCache::key(piece), {ids, count});
  } else {
    state.pieces.put(piece, hash, {ids, count});
  }
  return count;
}

}  // namespace sesame
