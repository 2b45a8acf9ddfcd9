#include "sesame/text/bpe/piece_encoder.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "sesame/base/hash.h"

namespace sesame {

/// The pieces of a call, and where their ids are: in the cache of words, or among what was found for the others.
struct PieceEncoder::Batch {
  /// In the place of the number of ids: ids[0] and ids[1] say where in State::others they are, and how many.
  static constexpr uint64_t elsewhere = 15;

  const char* base;
  std::span<const uint32_t> ends;
  std::array<WordCache::Key, batch> keys;
  std::array<uint64_t, batch> hashes;
  std::array<const WordCache::Entry*, batch> entries;
  std::array<uint32_t, batch> missed;  // numbers of pieces that are not in the cache of words
  size_t missed_count = 0;
  std::array<WordCache::Entry, batch> others;  // of missed pieces

  [[nodiscard]] std::string_view piece(size_t i) const noexcept {
    const uint32_t from = i == 0 ? 0 : ends[i - 1];
    return {base + from, ends[i] - from};
  }
  void look_up(const WordCache& words) noexcept;
};

void PieceEncoder::Batch::look_up(const WordCache& words) noexcept {
  for (size_t i = 0; i < ends.size(); ++i) {
    entries[i] = &words.look_up(keys[i], hashes[i]);
    missed[missed_count] = static_cast<uint32_t>(i);
    missed_count += entries[i]->count() == 0 ? 1 : 0;
  }
}

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
  pieces.look_up(state.words);
  if (pieces.missed_count > 0) encode_missed(pieces, state);
  // A piece has no more ids than bytes, and four are always written.
  int32_t* const first = ids.reserve(ends.back() + WordCache::max_ids);
  int32_t* out = first;
  for (size_t i = 0; i < ends.size(); ++i) {
    const WordCache::Entry& entry = *pieces.entries[i];
    std::copy_n(entry.ids.begin(), WordCache::max_ids, out);
    size_t count = entry.count();
    if (count == Batch::elsewhere) [[unlikely]] {
      count = static_cast<size_t>(entry.ids[1]);
      std::copy_n(state.others.begin() + entry.ids[0], count, out);
    }
    out += count;
  }
  ids.commit(static_cast<size_t>(out - first));
}

void PieceEncoder::encode_missed(Batch& pieces, State& state) const {
  state.others.clear();
  std::array<PieceMerger::Word, batch> words;
  std::array<uint32_t, batch> word_pieces;
  size_t word_count = 0;
  const uint64_t puts = state.words.puts();
  const std::span<const uint32_t> missed(pieces.missed.data(), pieces.missed_count);
  for (const uint32_t i : missed) {
    const std::string_view piece = pieces.piece(i);
    pieces.entries[i] = &pieces.others[i];
    const bool is_word = !piece.empty() && piece.size() <= WordCache::max_word;
    if (is_word && merger_->next_cut(piece, 0) == piece.size() && merger_->whole_piece(piece) < 0 &&
        !state.pieces.holds(piece)) {
      words[word_count].text = piece;
      word_pieces[word_count++] = i;
    } else {
      pieces.others[i] = keep_other(piece, state, [&](int32_t* ids) { return encode_piece(piece, state, ids); });
    }
  }
  merger_->encode_words({words.data(), word_count}, state.buffers);
  for (size_t w = 0; w < word_count; ++w) {
    const std::span<const int32_t> ids(words[w].ids.data(), words[w].count);
    pieces.others[word_pieces[w]] = keep_other(words[w].text, state, [&](int32_t* out) {
      std::copy(ids.begin(), ids.end(), out);
      return ids.size();
    });
    if (ids.size() > WordCache::max_ids) {
      state.pieces.put(words[w].text, xxh3(words[w].text), ids);
    } else {
      state.words.put(pieces.keys[word_pieces[w]], ids);
    }
  }
  if (state.words.puts() != puts) find_again(pieces, state);
}

void PieceEncoder::find_again(Batch& pieces, State& state) const {
  std::array<bool, batch> is_other{};
  for (size_t m = 0; m < pieces.missed_count; ++m) is_other[pieces.missed[m]] = true;
  for (size_t i = 0; i < pieces.ends.size(); ++i) {
    if (is_other[i]) continue;
    pieces.entries[i] = &state.words.look_up(pieces.keys[i], pieces.hashes[i]);
    if (pieces.entries[i]->count() != 0) continue;
    // A new word took its place. The cache stays as it is now.
    const std::string_view piece = pieces.piece(i);
    pieces.others[i] =
        keep_other(piece, state, [&](int32_t* ids) { return merger_->encode(piece, state.buffers, ids); });
    pieces.entries[i] = &pieces.others[i];
  }
}

template <typename Encode>
WordCache::Entry PieceEncoder::keep_other(std::string_view piece, State& state, Encode encode) const {
  const size_t begin = state.others.size();
  state.others.resize(begin + piece.size());
  const size_t count = encode(state.others.data() + begin);
  state.others.resize(begin + count);
  WordCache::Entry entry{};
  entry.high = Batch::elsewhere << WordCache::count_shift;
  entry.ids = {static_cast<int32_t>(begin), static_cast<int32_t>(count)};
  return entry;
}

size_t PieceEncoder::encode_piece(std::string_view piece, State& state, int32_t* ids) const {
  // What whole_piece knows is in no cache: there the same bytes would be found as part of a piece.
  if (const int32_t id = merger_->whole_piece(piece); id >= 0) {
    *ids = id;
    return 1;
  }
  const size_t cut = merger_->next_cut(piece, 0);
  if (cut == piece.size()) return encode_whole(piece, state, ids);
  const size_t count = encode_parts(piece, cut, state, ids);
  if (piece.size() <= WordCache::max_word) state.words.put(WordCache::key(piece), {ids, count});
  return count;
}

size_t PieceEncoder::encode_parts(std::string_view piece, size_t cut, State& state, int32_t* ids) const {
  size_t count = 0;
  for (size_t begin = 0; begin < piece.size(); cut = merger_->next_cut(piece, begin)) {
    const std::string_view part = piece.substr(begin, cut - begin);
    const WordCache::Key key = WordCache::key(part);
    const WordCache::Entry& known = state.words.look_up(key, WordCache::hash(key));
    if (known.count() != 0) {
      std::copy_n(known.ids.begin(), known.count(), ids + count);
      count += known.count();
    } else if (merger_->whole_piece(part) >= 0) {
      count += merger_->encode(part, state.buffers, ids + count);
    } else {
      count += encode_whole(part, state, ids + count);
    }
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
