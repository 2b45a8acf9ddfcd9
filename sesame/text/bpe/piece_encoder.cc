#include "sesame/text/bpe/piece_encoder.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "sesame/base/hash.h"

namespace sesame {

size_t PieceEncoder::encode_uncached(std::string_view piece, State& state, int32_t* ids) const {
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

void PieceEncoder::encode(std::string_view text, size_t begin, std::span<const uint32_t> ends, State& state,
                          IdBuffer& ids) const {
  if (ends.empty()) return;
  assert(ends.size() <= batch);
  std::array<WordCache::Key, batch> keys;
  std::array<uint64_t, batch> hashes;
  const char* const base = text.data() + begin;
  const size_t readable = text.size() - begin;
  // The last pieces may lie where 16 bytes can't be read.
  size_t padded = ends.size();
  while (padded > 0 && (padded > 1 ? ends[padded - 2] : 0) + size_t{16} > readable) --padded;
  uint32_t from = 0;
  for (size_t i = 0; i < ends.size(); ++i) {
    const uint32_t size = ends[i] - from;
    keys[i] = i < padded ? WordCache::key_of_padded(base + from, size) : WordCache::key({base + from, size});
    hashes[i] = WordCache::hash(keys[i]);
    state.words.prefetch(hashes[i]);
    from = ends[i];
  }
  // A piece has no more ids than bytes, and the cache always writes four.
  int32_t* const first = ids.reserve(ends.back() + WordCache::max_ids);
  int32_t* out = first;
  from = 0;
  for (size_t i = 0; i < ends.size(); ++i) {
    size_t count = state.words.copy(keys[i], hashes[i], out);
    if (count == 0) [[unlikely]] {
      count = encode_uncached({base + from, ends[i] - from}, state, out);
    }
    out += count;
    from = ends[i];
  }
  ids.commit(static_cast<size_t>(out - first));
}

}  // namespace sesame
