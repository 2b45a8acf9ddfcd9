#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/base/hash.h"

namespace sesame {

/// A bounded cache of token ids for what a WordCache does not hold: longer pieces of text, and words of many tokens.
/// One place a piece: a piece that hashes to the place of another replaces it; when its 2 MiB of bytes and ids are
/// full, all is forgotten. For one thread and one tokenizer.
class PieceCache {
 public:
  /// Longer pieces are not kept: they do not come twice.
  static constexpr size_t max_piece = 256;

  /// The ids of a piece whose xxh3 is `hash`; empty where it is not in the cache. Valid until the next put.
  [[nodiscard]] std::span<const int32_t> find(std::string_view piece, uint64_t hash) const noexcept {
    if (places_.empty()) return {};
    const Place& place = places_[hash % places];
    if (place.hash != hash || place.size != piece.size()) return {};
    if (std::string_view(bytes_.data() + place.begin, place.size) != piece) return {};
    return {ids_.data() + place.first_id, place.id_count};
  }

  [[nodiscard]] bool holds(std::string_view piece) const noexcept { return !find(piece, xxh3(piece)).empty(); }

  void put(std::string_view piece, uint64_t hash, std::span<const int32_t> ids) {
    if (piece.size() > max_piece) return;
    if (places_.empty()) places_.resize(places);
    if (bytes_.size() + piece.size() > max_bytes || ids_.size() + ids.size() > max_bytes / sizeof(int32_t)) clear();
    places_[hash % places] = {hash, static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(piece.size()),
                              static_cast<uint32_t>(ids_.size()), static_cast<uint32_t>(ids.size())};
    bytes_.insert(bytes_.end(), piece.begin(), piece.end());
    ids_.insert(ids_.end(), ids.begin(), ids.end());
  }

  void clear() {
    places_.assign(places, Place{});
    bytes_.clear();
    ids_.clear();
  }

 private:
  struct Place {
    uint64_t hash = 0;
    uint32_t begin = 0;
    uint32_t size = 0;  // 0: free; there are no empty pieces
    uint32_t first_id = 0;
    uint32_t id_count = 0;
  };
  static constexpr size_t places = size_t{1} << 14;
  static constexpr size_t max_bytes = size_t{1} << 20;

  std::vector<Place> places_;  // none before the first put
  std::vector<char> bytes_;
  std::vector<int32_t> ids_;
};

}  // namespace sesame
