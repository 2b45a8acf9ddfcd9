#include "sesame/text/bpe/piece_encoder.h"

#include <algorithm>
#include <cassert>

#include "sesame/base/hash.h"

namespace sesame {
namespace {

std::string_view piece_at(const char* base, std::span<const uint32_t> ends, size_t i) noexcept {
  const uint32_t from = i == 0 ? 0 : ends[i - 1];
  return {base + from, ends[i] - from};
}

}  // namespace

void PieceEncoder::encode(std::string_view text, size_t begin, std::span<const uint32_t> ends, State& state,
                          IdBuffer& ids) const {
  if (ends.empty()) return;
  assert(ends.size() <= batch);
  const char* const base = text.data() + begin;
  const size_t readable = text.size() - begin;
  // The last pieces may lie where 16 bytes can't be read.
  size_t padded = ends.size();
  while (padded > 0 && (padded > 1 ? ends[padded - 2] : 0) + size_t{16} > readable) --padded;
  const auto keep_key = [&](size_t i, WordCache::Key key) {
    state.keys[i] = key;
    state.hashes[i] = WordCache::hash(key);
    state.words.prefetch(state.hashes[i]);
  };
  uint32_t from = 0;
  for (size_t i = 0; i < padded; ++i) {
    keep_key(i, WordCache::key_of_padded(base + from, ends[i] - from));
    from = ends[i];
  }
  for (size_t i = padded; i < ends.size(); ++i) keep_key(i, WordCache::key(piece_at(base, ends, i)));

  state.padded_end = text.data() + text.size() - std::min(text.size(), size_t{16});
  state.missed.clear();
  // A piece has no more ids than bytes.
  int32_t* const first = ids.reserve(ends.back() + WordCache::room);
  int32_t* out = first;
  for (size_t i = 0, next = 0; i < ends.size(); ++i) {
    if (const size_t count = state.words.copy(state.keys[i], state.hashes[i], out); count != 0) [[likely]] {
      out += count;
      continue;
    }
    // Some pieces that missed are in the cache by now.
    while (next < state.missed.size() && state.missed[next].piece < i) ++next;
    if (next == state.missed.size() || state.missed[next].piece != i) {
      find_missed(base, ends, i, state);
      next = 0;
    }
    const size_t parts_begin = next == 0 ? 0 : state.missed[next - 1].parts_end;
    const size_t parts_end = state.missed[next].parts_end;
    const size_t count = encode_parts(parts_begin, parts_end, state, out);
    if (parts_end - parts_begin > 1 && piece_at(base, ends, i).size() <= WordCache::max_word &&
        state.words.has_room()) {
      state.words.put(state.keys[i], state.hashes[i], {out, count});
    }
    out += count;
    ++next;
  }
  ids.commit(static_cast<size_t>(out - first));
}

void PieceEncoder::find_missed(const char* base, std::span<const uint32_t> ends, size_t first, State& state) const {
  state.missed.clear();
  state.parts.clear();
  std::array<int32_t, WordCache::room> known;
  // Behind a long piece, which is in no cache of words anyway, only others like it are worth looking for.
  const bool only_long = piece_at(base, ends, first).size() > WordCache::max_word;
  for (size_t i = first; i < ends.size() && state.parts.size() < batch; ++i) {
    const std::string_view piece = piece_at(base, ends, i);
    const bool is_known = i > first && piece.size() <= WordCache::max_word &&
                          (only_long || state.words.copy(state.keys[i], state.hashes[i], known.data()) != 0);
    if (is_known) continue;
    add_parts(piece, i, state);
    state.missed.push_back({i, state.parts.size()});
  }
  state.merged = false;
}

void PieceEncoder::add_parts(std::string_view piece, size_t number, State& state) const {
  // What whole_piece knows is in no cache: there the same bytes would be found as part of a piece.
  const int32_t id = merger_->whole_piece(piece);
  size_t cut = id >= 0 ? piece.size() : merger_->next_cut(piece, 0);
  if (cut == piece.size()) {
    state.parts.push_back({piece, state.keys[number], state.hashes[number], id, true});
    return;
  }
  for (size_t begin = 0; begin < piece.size(); cut = merger_->next_cut(piece, begin)) {
    const char* const part = piece.data() + begin;
    const size_t size = cut - begin;
    const WordCache::Key key =
        part <= state.padded_end ? WordCache::key_of_padded(part, size) : WordCache::key({part, size});
    const uint64_t hash = WordCache::hash(key);
    state.words.prefetch(hash);
    state.parts.push_back({{part, size}, key, hash, -1, false});
    begin = cut;
  }
}

void PieceEncoder::merge_unknown(size_t first, State& state) const {
  state.merged = true;
  state.unknown.clear();
  state.unknown_parts.clear();
  std::array<int32_t, WordCache::room> known;
  for (const State::Part& part : std::span(state.parts).subspan(first)) {
    if (part.id >= 0 || part.text.size() > WordCache::max_word) continue;
    if (!part.is_piece && state.words.copy(part.key, part.hash, known.data()) != 0) continue;
    state.unknown.push_back({part.text, {}, 0});
    state.unknown_parts.push_back(&part);
  }
  merger_->encode_words(state.unknown, state.buffers);
  for (size_t u = 0; u < state.unknown.size(); ++u) {
    const PieceMerger::Word& word = state.unknown[u];
    const State::Part& part = *state.unknown_parts[u];
    const bool is_other_piece = !part.is_piece && merger_->whole_piece(part.text) >= 0;
    if (!is_other_piece) state.words.put(part.key, part.hash, {word.ids.data(), word.count});
  }
}

size_t PieceEncoder::encode_parts(size_t begin, size_t end, State& state, int32_t* ids) const {
  int32_t* out = ids;
  for (size_t i = begin; i < end; ++i) {
    const State::Part& part = state.parts[i];
    if (const size_t known = state.words.copy(part.key, part.hash, out); known != 0) [[likely]] {
      out += known;
    } else if (part.id >= 0) {
      *out++ = part.id;
    } else if (part.text.size() > WordCache::max_word) {
      out += encode_long(part.text, state, out);
    } else {
      out += encode_short(i, state, out);
    }
  }
  return static_cast<size_t>(out - ids);
}

size_t PieceEncoder::encode_short(size_t i, State& state, int32_t* ids) const {
  const State::Part& part = state.parts[i];
  if (!state.merged) {
    merge_unknown(i, state);
    if (const size_t known = state.words.copy(part.key, part.hash, ids); known != 0) return known;
  }
  // It left the cache, or may not be there.
  return merger_->encode(part.text, state.buffers, ids);
}

size_t PieceEncoder::encode_long(std::string_view text, State& state, int32_t* ids) const {
  if (text.size() > PieceCache::max_piece) return merger_->encode(text, state.buffers, ids);
  const uint64_t hash = xxh3(text);
  if (const auto known = state.pieces.find(text, hash); !known.empty()) {
    std::copy(known.begin(), known.end(), ids);
    return known.size();
  }
  const size_t count = merger_->encode(text, state.buffers, ids);
  state.pieces.put(text, hash, {ids, count});
  return count;
}

}  // namespace sesame
