#include "sesame/text/bpe_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "sesame/base/error.h"
#include "sesame/text/byte_alphabet.h"

namespace sesame {
namespace {

// Up to this many symbols a scan for the lowest rank is faster than a heap.
constexpr size_t scan_limit = 48;
constexpr uint32_t no_symbol = UINT32_MAX;

}  // namespace

void fail_unknown_character(std::string_view character) {
  const Utf8Char c = decode_utf8(character, 0);
  const std::string what = c.valid ? fmt::format("the character U+{:04X} '{}'", c.code, character.substr(0, c.length))
                                   : fmt::format("the byte 0x{:02X}, which is not UTF-8,",
                                                 static_cast<unsigned>(static_cast<uint8_t>(character[0])));
  fail(fmt::format(
      "{} is not in the tokenizer's vocabulary, which has no unknown token: remove it from the text, or train "
      "a tokenizer on text that has it (a byte-level BPE takes any text)",
      what));
}

BpeEncoder::BpeEncoder(const model::Bpe& model, const TokenizerSpec& spec, bool byte_level, std::string_view origin)
    : byte_level_(byte_level),
      ignore_merges_(model.ignore_merges),
      fuse_unknown_(model.fuse_unk),
      merges_(model.merges.size()) {
  byte_ids_.fill(-1);
  ascii_ids_.fill(-1);
  index_vocabulary(spec);

  std::unordered_map<std::string_view, int32_t> ids;
  std::unordered_map<int32_t, std::string_view> tokens;
  ids.reserve(spec.vocabulary.size());
  tokens.reserve(spec.vocabulary.size());
  for (const VocabularyEntry& entry : spec.vocabulary) {
    ids.emplace(entry.token, entry.id);
    tokens.emplace(entry.id, entry.token);
  }
  if (model.unk_token) {
    const auto unknown = ids.find(*model.unk_token);
    if (unknown == ids.end()) {
      fail(fmt::format("{}: model.unk_token: '{}' is not in the vocabulary", origin, *model.unk_token));
    }
    unknown_ = unknown->second;
  }
  if (byte_level || model.byte_fallback) {
    for (int b = 0; b < 256; ++b) {
      const auto byte = static_cast<uint8_t>(b);
      const auto token = ids.find(byte_level ? spell_bytes(std::string(1, static_cast<char>(byte))) : byte_token(byte));
      if (token != ids.end()) byte_ids_[byte] = token->second;
    }
  }
  std::string joined;
  for (size_t rank = 0; rank < model.merges.size(); ++rank) {
    const auto [left, right] = model.merges[rank];
    joined.assign(tokens.at(left)).append(tokens.at(right));
    const auto merged = ids.find(joined);
    if (merged == ids.end()) {
      fail(fmt::format("{}: model.merges[{}]: '{}' is not in the vocabulary", origin, rank, joined));
    }
    // Of a pair that is listed twice the last rank counts, as in Hugging Face's library.
    merges_.get_or_add(pair_key(left, right), {}) = {static_cast<uint32_t>(rank), merged->second};
  }
}

void BpeEncoder::index_vocabulary(const TokenizerSpec& spec) {
  std::unordered_set<int32_t> special;
  for (const AddedToken& token : spec.added_tokens) {
    if (token.special) special.insert(token.id);
  }
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (special.contains(entry.id)) continue;
    if (ignore_merges_) {
      std::optional<std::string> piece = byte_level_ ? unspell_bytes(entry.token) : entry.token;
      if (piece) pieces_.emplace(std::move(*piece), entry.id);
    }
    if (byte_level_ || entry.token.empty()) continue;
    const Utf8Char c = decode_utf8(entry.token, 0);
    if (!c.valid || c.length != entry.token.size()) continue;
    if (c.code < 128) {
      ascii_ids_[c.code] = entry.id;
    } else {
      character_ids_.emplace(c.code, entry.id);
    }
  }
}

void BpeEncoder::symbols_of_bytes(std::string_view piece, std::vector<int32_t>& symbols) const {
  for (size_t i = 0; i < piece.size(); ++i) {
    const int32_t id = byte_ids_[static_cast<uint8_t>(piece[i])];
    if (id >= 0) {
      symbols.push_back(id);
    } else if (!unknown_) {
      fail(fmt::format("the byte 0x{:02X} is not in the tokenizer's vocabulary, which has no unknown token",
                       static_cast<unsigned>(static_cast<uint8_t>(piece[i]))));
    } else if (!fuse_unknown_ || symbols.empty() || symbols.back() != *unknown_) {
      symbols.push_back(*unknown_);
    }
  }
}

bool BpeEncoder::append_byte_tokens(std::string_view character, std::vector<int32_t>& symbols) const {
  const auto has_token = [&](char c) { return byte_ids_[static_cast<uint8_t>(c)] >= 0; };
  if (!std::all_of(character.begin(), character.end(), has_token)) return false;
  for (const char c : character) symbols.push_back(byte_ids_[static_cast<uint8_t>(c)]);
  return true;
}

void BpeEncoder::symbols_of_characters(std::string_view piece, std::vector<int32_t>& symbols) const {
  bool after_unknown = false;
  for (size_t i = 0; i < piece.size();) {
    const Utf8Char c = decode_utf8(piece, i);
    const std::string_view character = piece.substr(i, c.length);
    i += c.length;
    int32_t id = -1;
    if (c.valid && c.code < 128) {
      id = ascii_ids_[c.code];
    } else if (c.valid) {
      const auto found = character_ids_.find(c.code);
      if (found != character_ids_.end()) id = found->second;
    }
    if (id >= 0) {
      symbols.push_back(id);
    } else if (!append_byte_tokens(character, symbols)) {
      if (!unknown_) fail_unknown_character(character);
      if (!fuse_unknown_ || !after_unknown) symbols.push_back(*unknown_);
      after_unknown = true;
      continue;
    }
    after_unknown = false;
  }
}

void BpeEncoder::encode(std::string_view piece, BpeScratch& scratch, std::vector<int32_t>& ids) const {
  if (piece.size() >= no_symbol) {
    fail(fmt::format("a piece of text of {} bytes has no place to split it: at most {} can be encoded at once",
                     piece.size(), no_symbol - 1));
  }
  if (ignore_merges_) {
    if (const auto whole = pieces_.find(piece); whole != pieces_.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  scratch.ids.clear();
  if (byte_level_) {
    symbols_of_bytes(piece, scratch.ids);
  } else {
    symbols_of_characters(piece, scratch.ids);
  }
  if (scratch.ids.size() <= scan_limit) {
    merge_by_scan(scratch);
  } else {
    merge_by_heap(scratch);
  }
  ids.insert(ids.end(), scratch.ids.begin(), scratch.ids.end());
}

void BpeEncoder::merge_by_scan(BpeScratch& scratch) const {
  std::vector<int32_t>& ids = scratch.ids;
  std::vector<uint32_t>& ranks = scratch.ranks;  // ranks[i]: of the pair (i, i + 1)
  if (ids.size() < 2) return;
  ranks.clear();
  for (size_t i = 0; i + 1 < ids.size(); ++i) ranks.push_back(rank_of(ids[i], ids[i + 1]));
  while (!ranks.empty()) {
    const auto lowest = std::min_element(ranks.begin(), ranks.end());
    if (*lowest == no_rank) return;
    const auto i = static_cast<size_t>(lowest - ranks.begin());
    ids[i] = merges_.find(pair_key(ids[i], ids[i + 1]))->id;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(i) + 1);
    ranks.erase(lowest);
    if (i > 0) ranks[i - 1] = rank_of(ids[i - 1], ids[i]);
    if (i + 1 < ids.size()) ranks[i] = rank_of(ids[i], ids[i + 1]);
  }
}

void BpeEncoder::merge_by_heap(BpeScratch& scratch) const {
  std::vector<BpeScratch::Symbol>& symbols = scratch.symbols;
  std::vector<uint64_t>& heap = scratch.heap;  // rank and place of pairs; an entry whose rank has changed is stale
  const auto n = static_cast<uint32_t>(scratch.ids.size());
  symbols.resize(n);
  heap.clear();
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t rank = i + 1 < n ? rank_of(scratch.ids[i], scratch.ids[i + 1]) : no_rank;
    symbols[i] = {scratch.ids[i], rank, i == 0 ? no_symbol : i - 1, i + 1 < n ? i + 1 : no_symbol};
    if (rank != no_rank) heap.push_back((uint64_t{rank} << 32) | i);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto update = [&](uint32_t i) {
    BpeScratch::Symbol& s = symbols[i];
    s.rank = s.next == no_symbol ? no_rank : rank_of(s.id, symbols[s.next].id);
    if (s.rank == no_rank) return;
    heap.push_back((uint64_t{s.rank} << 32) | i);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const auto i = static_cast<uint32_t>(heap.back());
    const auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    BpeScratch::Symbol& left = symbols[i];
    if (left.rank != rank) continue;
    BpeScratch::Symbol& right = symbols[left.next];
    left.id = merges_.find(pair_key(left.id, right.id))->id;
    right.rank = no_rank;
    left.next = right.next;
    if (left.next != no_symbol) symbols[left.next].previous = i;
    update(i);
    if (left.previous != no_symbol) update(left.previous);
  }
  scratch.ids.clear();
  for (uint32_t i = 0; i != no_symbol; i = symbols[i].next) scratch.ids.push_back(symbols[i].id);
}

}  // namespace sesame
