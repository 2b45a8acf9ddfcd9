#include "sesame/text/bpe/bpe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"

namespace sesame {
namespace {

// Up to this many symbols a scan for the lowest rank is faster than a heap.
constexpr size_t scan_limit = 48;
constexpr uint32_t no_symbol = UINT32_MAX;

}  // namespace

struct BpeModel::Buffers : TokenModel::Scratch {
  struct Symbol {
    PieceToken token;
    uint32_t rank;  // of the pair with the next symbol
    uint32_t previous;
    uint32_t next;
  };
  std::vector<PieceToken> tokens;
  std::vector<uint32_t> ranks;
  std::vector<Symbol> symbols;
  std::vector<uint64_t> heap;
};

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

BpeModel::BpeModel(const model::Bpe& model, const TokenizerSpec& spec, bool byte_level, std::string_view origin)
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

void BpeModel::index_vocabulary(const TokenizerSpec& spec) {
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

void BpeModel::symbols_of_bytes(std::string_view piece, std::vector<PieceToken>& symbols) const {
  for (uint32_t i = 0; i < piece.size(); ++i) {
    const int32_t id = byte_ids_[static_cast<uint8_t>(piece[i])];
    if (id >= 0) {
      symbols.push_back({id, i, i + 1});
    } else if (!unknown_) {
      fail(fmt::format("the byte 0x{:02X} is not in the tokenizer's vocabulary, which has no unknown token",
                       static_cast<unsigned>(static_cast<uint8_t>(piece[i]))));
    } else if (fuse_unknown_ && !symbols.empty() && symbols.back().id == *unknown_) {
      symbols.back().end = i + 1;
    } else {
      symbols.push_back({*unknown_, i, i + 1});
    }
  }
}

bool BpeModel::append_byte_tokens(std::string_view piece, uint32_t begin, uint32_t end,
                                  std::vector<PieceToken>& symbols) const {
  for (uint32_t i = begin; i < end; ++i) {
    if (byte_ids_[static_cast<uint8_t>(piece[i])] < 0) return false;
  }
  for (uint32_t i = begin; i < end; ++i) symbols.push_back({byte_ids_[static_cast<uint8_t>(piece[i])], begin, end});
  return true;
}

void BpeModel::symbols_of_characters(std::string_view piece, std::vector<PieceToken>& symbols) const {
  bool after_unknown = false;
  for (uint32_t i = 0; i < piece.size();) {
    const Utf8Char c = decode_utf8(piece, i);
    const uint32_t begin = i;
    i += c.length;
    int32_t id = -1;
    if (c.valid && c.code < 128) {
      id = ascii_ids_[c.code];
    } else if (c.valid) {
      const auto found = character_ids_.find(c.code);
      if (found != character_ids_.end()) id = found->second;
    }
    const bool known = id >= 0 || append_byte_tokens(piece, begin, i, symbols);
    if (id >= 0) {
      symbols.push_back({id, begin, i});
    } else if (!known) {
      if (!unknown_) fail_unknown_character(piece.substr(begin, c.length));
      if (fuse_unknown_ && after_unknown) {
        symbols.back().end = i;
      } else {
        symbols.push_back({*unknown_, begin, i});
      }
    }
    after_unknown = !known;
  }
}

std::unique_ptr<TokenModel::Scratch> BpeModel::make_scratch() const { return std::make_unique<Buffers>(); }

void BpeModel::encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const {
  if (piece.size() >= no_symbol) {
    fail(fmt::format("a piece of text of {} bytes has no place to split it: at most {} can be encoded at once",
                     piece.size(), no_symbol - 1));
  }
  if (ignore_merges_) {
    if (const auto whole = pieces_.find(piece); whole != pieces_.end()) {
      tokens.push_back({whole->second, 0, static_cast<uint32_t>(piece.size())});
      return;
    }
  }
  auto& buffers = static_cast<Buffers&>(scratch);
  buffers.tokens.clear();
  if (byte_level_) {
    symbols_of_bytes(piece, buffers.tokens);
  } else {
    symbols_of_characters(piece, buffers.tokens);
  }
  if (buffers.tokens.size() <= scan_limit) {
    merge_by_scan(buffers);
  } else {
    merge_by_heap(buffers);
  }
  tokens.insert(tokens.end(), buffers.tokens.begin(), buffers.tokens.end());
}

void BpeModel::merge_by_scan(Buffers& buffers) const {
  std::vector<PieceToken>& tokens = buffers.tokens;
  std::vector<uint32_t>& ranks = buffers.ranks;  // ranks[i]: of the pair (i, i + 1)
  if (tokens.size() < 2) return;
  ranks.clear();
  for (size_t i = 0; i + 1 < tokens.size(); ++i) ranks.push_back(rank_of(tokens[i].id, tokens[i + 1].id));
  while (!ranks.empty()) {
    const auto lowest = std::min_element(ranks.begin(), ranks.end());
    if (*lowest == no_rank) return;
    const auto i = static_cast<size_t>(lowest - ranks.begin());
    tokens[i] = {merges_.find(pair_key(tokens[i].id, tokens[i + 1].id))->id, tokens[i].begin, tokens[i + 1].end};
    tokens.erase(tokens.begin() + static_cast<ptrdiff_t>(i) + 1);
    ranks.erase(lowest);
    if (i > 0) ranks[i - 1] = rank_of(tokens[i - 1].id, tokens[i].id);
    if (i + 1 < tokens.size()) ranks[i] = rank_of(tokens[i].id, tokens[i + 1].id);
  }
}

void BpeModel::merge_by_heap(Buffers& buffers) const {
  std::vector<Buffers::Symbol>& symbols = buffers.symbols;
  std::vector<PieceToken>& tokens = buffers.tokens;
  std::vector<uint64_t>& heap = buffers.heap;  // rank and place of pairs; an entry whose rank has changed is stale
  const auto n = static_cast<uint32_t>(tokens.size());
  symbols.resize(n);
  heap.clear();
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t rank = i + 1 < n ? rank_of(tokens[i].id, tokens[i + 1].id) : no_rank;
    symbols[i] = {tokens[i], rank, i == 0 ? no_symbol : i - 1, i + 1 < n ? i + 1 : no_symbol};
    if (rank != no_rank) heap.push_back((uint64_t{rank} << 32) | i);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto update = [&](uint32_t i) {
    Buffers::Symbol& s = symbols[i];
    s.rank = s.next == no_symbol ? no_rank : rank_of(s.token.id, symbols[s.next].token.id);
    if (s.rank == no_rank) return;
    heap.push_back((uint64_t{s.rank} << 32) | i);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const auto i = static_cast<uint32_t>(heap.back());
    const auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    Buffers::Symbol& left = symbols[i];
    if (left.rank != rank) continue;
    Buffers::Symbol& right = symbols[left.next];
    left.token.id = merges_.find(pair_key(left.token.id, right.token.id))->id;
    left.token.end = right.token.end;
    right.rank = no_rank;
    left.next = right.next;
    if (left.next != no_symbol) symbols[left.next].previous = i;
    update(i);
    if (left.previous != no_symbol) update(left.previous);
  }
  tokens.clear();
  for (uint32_t i = 0; i != no_symbol; i = symbols[i].next) tokens.push_back(symbols[i].token);
}

}  // namespace sesame
