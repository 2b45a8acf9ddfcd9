#include "sesame/text/bpe/byte_merger.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <unordered_set>
#include <vector>

#include "sesame/text/bpe/bpe_model.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/files/image.h"

namespace sesame {
namespace {

// Up to this many bytes a scan for the lowest rank is faster than a heap.
constexpr size_t scan_limit = 32;

}  // namespace

std::unique_ptr<const ByteMerger> ByteMerger::make(const model::Bpe& model, const TokenizerSpec& spec,
                                                   std::string_view origin) {
  if (!model.continuing_subword_prefix.empty() || !model.end_of_word_suffix.empty()) return nullptr;
  std::unordered_set<int32_t> special;
  for (const AddedToken& token : spec.added_tokens) {
    if (token.special) special.insert(token.id);
  }
  std::vector<int32_t> byte_ids(256, -1);
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (entry.token.empty() || entry.token.size() > 2 || special.contains(entry.id)) continue;
    const auto byte = unspell_bytes(entry.token);
    if (byte && byte->size() == 1) byte_ids[static_cast<uint8_t>((*byte)[0])] = entry.id;
  }
  if (std::any_of(byte_ids.begin(), byte_ids.end(), [](int32_t id) { return id < 0; })) return nullptr;

  std::unique_ptr<ByteMerger> merger(new ByteMerger());
  merger->merges_ = make_merge_table(model, spec.vocabulary, origin);
  std::vector<uint32_t> byte_pairs;
  byte_pairs.reserve(256 * 256);
  for (const int32_t left : byte_ids) {
    for (const int32_t right : byte_ids) byte_pairs.push_back(merger->merges_.find(left, right));
  }
  merger->byte_ids_ = std::move(byte_ids);
  merger->byte_pairs_ = std::move(byte_pairs);
  if (model.ignore_merges) {
    TokenizerSpec ordinary;
    for (const VocabularyEntry& entry : spec.vocabulary) {
      if (!special.contains(entry.id)) ordinary.vocabulary.push_back(entry);
    }
    merger->index_pieces(ordinary);
  } else {
    merger->piece_begins_ = std::vector<uint32_t>(1, 0);
  }
  return merger;
}

void ByteMerger::index_pieces(const TokenizerSpec& spec) {
  std::vector<char> bytes;
  std::vector<uint32_t> begins(1, 0);
  std::vector<int32_t> ids;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const auto piece = unspell_bytes(entry.token);
    if (!piece || piece->empty()) continue;
    bytes.insert(bytes.end(), piece->begin(), piece->end());
    begins.push_back(static_cast<uint32_t>(bytes.size()));
    ids.push_back(entry.id);
    longest_piece_ = std::max(longest_piece_, piece->size());
  }
  piece_bytes_ = std::move(bytes);
  piece_begins_ = std::move(begins);
  piece_ids_ = std::move(ids);
  StringIndex::Builder index(piece_ids_.size());
  const auto get = [this](uint32_t number) { return piece(number); };
  for (uint32_t i = 0; i < piece_ids_.size(); ++i) index.add(piece(i), i, get);
  piece_index_ = std::move(index).finish();
}

ByteMerger::ByteMerger(const ImageReader& image)
    : byte_ids_(image.get<int32_t>("bytes.ids")),
      byte_pairs_(image.get<uint32_t>("bytes.pairs")),
      merges_(image, "merges"),
      piece_bytes_(image.get<char>("pieces.bytes")),
      piece_begins_(image.get<uint32_t>("pieces.begins")),
      piece_ids_(image.get<int32_t>("pieces.ids")),
      piece_index_(image.get<StringIndex::Slot>("pieces.index")) {
  const auto is_id = [](int32_t id) { return id >= 0 && id <= max_token_id; };
  if (byte_ids_.size() != 256 || !std::all_of(byte_ids_.begin(), byte_ids_.end(), is_id)) {
    image.fail_section("bytes.ids", "expected 256 ids");
  }
  const auto is_rule = [&](uint32_t rule) { return rule == MergeTable::none || rule < merges_.size(); };
  if (byte_pairs_.size() != 65536 || !std::all_of(byte_pairs_.begin(), byte_pairs_.end(), is_rule)) {
    image.fail_section("bytes.pairs", "expected 65536 rules");
  }
  if (!std::all_of(piece_ids_.begin(), piece_ids_.end(), is_id)) image.fail_section("pieces.ids", "a wrong id");
  if (piece_begins_.size() != piece_ids_.size() + 1 || piece_begins_[0] != 0 ||
      piece_begins_.back() != piece_bytes_.size() || !std::is_sorted(piece_begins_.begin(), piece_begins_.end())) {
    image.fail_section("pieces.begins", "the places of strings are out of order");
  }
  for (uint32_t i = 0; i < piece_ids_.size(); ++i) longest_piece_ = std::max(longest_piece_, piece(i).size());
  if (!piece_index_.holds_together(static_cast<uint32_t>(piece_ids_.size()))) {
    image.fail_section("pieces.index", "it names strings that are not there, or has no free place");
  }
}

void ByteMerger::write(ImageWriter& image) const {
  image.add("bytes.ids", byte_ids_);
  image.add("bytes.pairs", byte_pairs_);
  merges_.write(image, "merges");
  image.add("pieces.bytes", piece_bytes_);
  image.add("pieces.begins", piece_begins_);
  image.add("pieces.ids", piece_ids_);
  image.add("pieces.index", piece_index_.slots());
}

size_t ByteMerger::encode(std::string_view text, Buffers& buffers, int32_t* ids) const {
  if (text.size() <= longest_piece_) {
    const uint32_t number = piece_index_.find(text, [this](uint32_t i) { return piece(i); });
    if (number != StringIndex::none) {
      *ids = piece_ids_[number];
      return 1;
    }
  }
  if (text.size() <= scan_limit) return merge_short(text, ids);
  buffers.tokens.clear();
  for (uint32_t i = 0; i < text.size(); ++i) {
    buffers.tokens.push_back({byte_ids_[static_cast<uint8_t>(text[i])], i, i + 1});
  }
  merge(merges_, buffers.tokens, buffers.merge);
  std::transform(buffers.tokens.begin(), buffers.tokens.end(), ids, [](const PieceToken& token) { return token.id; });
  return buffers.tokens.size();
}

size_t ByteMerger::merge_short(std::string_view text, int32_t* ids) const noexcept {
  uint32_t rules[scan_limit];  // rules[i]: of the pair (i, i + 1)
  size_t count = text.size();
  for (size_t i = 0; i + 1 < count; ++i) rules[i] = byte_pair_rule(text[i], text[i + 1]);
  for (size_t i = 0; i < count; ++i) ids[i] = byte_ids_[static_cast<uint8_t>(text[i])];
  while (count > 1) {
    uint32_t lowest = rules[0];
    size_t place = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      const bool lower = rules[i] < lowest;
      lowest = lower ? rules[i] : lowest;
      place = lower ? i : place;
    }
    if (lowest == MergeTable::none) break;
    ids[place] = merges_.rule(lowest).merged;
    --count;
    for (size_t i = place + 1; i < count; ++i) {
      ids[i] = ids[i + 1];
      rules[i - 1] = rules[i];
    }
    if (place > 0) rules[place - 1] = merges_.find(ids[place - 1], ids[place]);
    if (place + 1 < count) rules[place] = merges_.find(ids[place], ids[place + 1]);
  }
  return count;
}

}  // namespace sesame
