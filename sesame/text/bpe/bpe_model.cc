#include "sesame/text/bpe/bpe_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/merge.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

struct BpeModel::Buffers : TokenModel::Scratch {
  std::vector<PieceToken> tokens;
  MergeBuffers merge;
};

namespace {

/// A vocabulary by spelling.
class VocabularyIndex {
 public:
  explicit VocabularyIndex(const std::vector<VocabularyEntry>& vocabulary) : vocabulary_(vocabulary) {
    StringIndex::Builder index(vocabulary.size());
    const auto spelling = [&](uint32_t number) { return std::string_view(vocabulary[number].token); };
    for (uint32_t i = 0; i < vocabulary.size(); ++i) index.add(vocabulary[i].token, i, spelling);
    index_ = std::move(index).finish();
  }
  /// The id of a token, or -1.
  [[nodiscard]] int32_t id(std::string_view token) const {
    const auto spelling = [&](uint32_t i) { return std::string_view(vocabulary_[i].token); };
    const uint32_t number = index_.find(token, spelling);
    return number == StringIndex::none ? -1 : vocabulary_[number].id;
  }

 private:
  const std::vector<VocabularyEntry>& vocabulary_;
  StringIndex index_;
};

std::vector<std::string_view> spellings_by_id(const std::vector<VocabularyEntry>& vocabulary) {
  std::vector<std::string_view> tokens;
  for (const VocabularyEntry& entry : vocabulary) {
    if (entry.id < 0 || entry.id > max_token_id) continue;
    const auto id = static_cast<size_t>(entry.id);
    if (id >= tokens.size()) tokens.resize(id + 1);
    tokens[id] = entry.token;
  }
  return tokens;
}

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

MergeTable make_merge_table(const model::Bpe& model, const std::vector<VocabularyEntry>& vocabulary,
                            std::string_view origin) {
  const VocabularyIndex index(vocabulary);
  const std::vector<std::string_view> tokens = spellings_by_id(vocabulary);
  const size_t prefix = model.continuing_subword_prefix.size();
  std::vector<MergeRule> rules;
  rules.reserve(model.merges.size());
  std::string joined;
  for (const auto [left, right] : model.merges) {
    const auto fail_merge = [&](std::string_view why) {
      fail(fmt::format("{}: model.merges[{}]: {}", origin, rules.size(), why));
    };
    for (const int32_t id : {left, right}) {
      if (id < 0 || static_cast<size_t>(id) >= tokens.size() || tokens[static_cast<size_t>(id)].empty()) {
        fail_merge(fmt::format("the id {} is not in the vocabulary", id));
      }
    }
    const std::string_view end = tokens[static_cast<size_t>(right)];
    if (end.size() < prefix) fail_merge(fmt::format("'{}' is shorter than continuing_subword_prefix", end));
    joined.assign(tokens[static_cast<size_t>(left)]).append(end.substr(prefix));
    const int32_t merged = index.id(joined);
    if (merged < 0) fail_merge(fmt::format("'{}' is not in the vocabulary", joined));
    rules.push_back({left, right, merged});
  }
  return MergeTable(rules, {}, origin);
}

BpeModel::BpeModel(const model::Bpe& model, const TokenizerSpec& spec, bool byte_level, std::string_view origin)
    : byte_level_(byte_level),
      ignore_merges_(model.ignore_merges),
      fuse_unknown_(model.fuse_unk),
      byte_fallback_(model.byte_fallback),
      prefix_(model.continuing_subword_prefix),
      suffix_(model.end_of_word_suffix),
      merges_(make_merge_table(model, spec.vocabulary, origin)) {
  byte_tokens_.fill(-1);
  for (auto& symbols : byte_symbols_) symbols.fill(-1);
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (model.unk_token && entry.token == *model.unk_token) unknown_ = entry.id;
    if (const auto byte = parse_byte_token(entry.token)) byte_tokens_[*byte] = entry.id;
  }
  if (model.unk_token && !unknown_) {
    fail(fmt::format("{}: model.unk_token: '{}' is not in the vocabulary", origin, *model.unk_token));
  }
  index_symbols(spec);
}

void BpeModel::index_symbols(const TokenizerSpec& spec) {
  std::unordered_set<int32_t> special;
  for (const AddedToken& token : spec.added_tokens) {
    if (token.special) special.insert(token.id);
  }
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (special.contains(entry.id)) continue;
    for (Form form = 0; form < 4; ++form) add_symbol(entry.token, entry.id, form);
    if (!ignore_merges_) continue;
    std::optional<std::string> piece = byte_level_ ? unspell_bytes(entry.token) : entry.token;
    if (piece) pieces_.push_back({std::move(*piece), entry.id});
  }
  StringIndex::Builder index(pieces_.size());
  const auto get = [this](uint32_t number) { return std::string_view(pieces_[number].token); };
  for (uint32_t i = 0; i < pieces_.size(); ++i) index.add(pieces_[i].token, i, get);
  piece_index_ = std::move(index).finish();
}

void BpeModel::add_symbol(std::string_view token, int32_t id, Form form) {
  if ((form & continuing) != 0) {
    if (!token.starts_with(prefix_)) return;
    token.remove_prefix(prefix_.size());
  }
  if ((form & last) != 0) {
    if (!token.ends_with(suffix_)) return;
    token.remove_suffix(suffix_.size());
  }
  if (token.empty() || token.size() > 4) return;
  const Utf8Char c = decode_utf8(token, 0);
  if (!c.valid || c.length != token.size()) return;
  if (byte_level_) {
    const auto byte = unspell_bytes(token);
    if (byte) byte_symbols_[form][static_cast<uint8_t>((*byte)[0])] = id;
  } else if (c.code < 128) {
    byte_symbols_[form][c.code] = id;
  } else {
    character_symbols_.get_or_add(pair_key(static_cast<int32_t>(c.code), static_cast<int32_t>(form)), id);
  }
}

int32_t BpeModel::symbol_id(std::string_view piece, size_t begin, size_t end, Form form) const {
  const auto byte = static_cast<uint8_t>(piece[begin]);
  if (byte_level_ || byte < 128) return byte_symbols_[form][byte];
  const Utf8Char c = decode_utf8(piece.substr(begin, end - begin), 0);
  if (!c.valid) return -1;
  const int32_t* id = character_symbols_.find(pair_key(static_cast<int32_t>(c.code), static_cast<int32_t>(form)));
  return id == nullptr ? -1 : *id;
}

bool BpeModel::append_byte_tokens(std::string_view piece, size_t begin, size_t end, Form form,
                                  std::vector<PieceToken>& symbols) const {
  std::string spelling = (form & continuing) != 0 ? prefix_ : "";
  spelling += byte_level_ ? spell_bytes(piece.substr(begin, end - begin)) : piece.substr(begin, end - begin);
  if ((form & last) != 0) spelling += suffix_;
  const auto id_of = [&](char c) { return byte_tokens_[static_cast<uint8_t>(c)]; };
  if (!std::all_of(spelling.begin(), spelling.end(), [&](char c) { return id_of(c) >= 0; })) return false;
  for (const char c : spelling) {
    const uint32_t place = symbols.empty() ? 0 : symbols.back().end;
    symbols.push_back({id_of(c), place, place + 1});
  }
  return true;
}

void BpeModel::append_symbols(std::string_view piece, std::vector<PieceToken>& symbols) const {
  // A run of unknown characters waits here for the next symbol of the vocabulary, and byte tokens overtake it.
  uint32_t unknown_bytes = 0;
  const auto add = [&](int32_t id, uint32_t size) {
    const uint32_t place = symbols.empty() ? 0 : symbols.back().end;
    symbols.push_back({id, place, place + size});
  };
  const auto flush_unknown = [&] {
    if (unknown_bytes > 0) add(*unknown_, unknown_bytes);
    unknown_bytes = 0;
  };
  for (size_t begin = 0, end = 0; begin < piece.size(); begin = end) {
    end = begin + (byte_level_ ? 1 : decode_utf8(piece, begin).length);
    const auto size = static_cast<uint32_t>(end - begin);
    const Form form = (begin > 0 ? continuing : 0) | (end == piece.size() ? last : 0);
    if (const int32_t id = symbol_id(piece, begin, end, form); id >= 0) {
      flush_unknown();
      add(id, size);
    } else if (byte_fallback_ && append_byte_tokens(piece, begin, end, form, symbols)) {
      continue;
    } else if (unknown_) {
      if (!fuse_unknown_) flush_unknown();
      unknown_bytes += size;
    }
  }
  flush_unknown();
}

int32_t BpeModel::whole_piece(std::string_view piece) const {
  const uint32_t number = piece_index_.find(piece, [this](uint32_t i) { return std::string_view(pieces_[i].token); });
  return number == StringIndex::none ? -1 : pieces_[number].id;
}

std::unique_ptr<TokenModel::Scratch> BpeModel::make_scratch() const { return std::make_unique<Buffers>(); }

void BpeModel::encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const {
  if (ignore_merges_) {
    if (const int32_t id = whole_piece(piece); id >= 0) {
      tokens.push_back({id, 0, static_cast<uint32_t>(piece.size())});
      return;
    }
  }
  auto& buffers = static_cast<Buffers&>(scratch);
  buffers.tokens.clear();
  append_symbols(piece, buffers.tokens);
  merge(merges_, buffers.tokens, buffers.merge);
  tokens.insert(tokens.end(), buffers.tokens.begin(), buffers.tokens.end());
}

}  // namespace sesame
