#include "sesame/text/bpe/byte_merger.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "sesame/text/bpe/bpe_model.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/files/image.h"

namespace sesame {
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
  merger->find_uncrossed_pairs(spec);
  merger->byte_ids_ = std::move(byte_ids);
  merger->byte_pairs_ = std::move(byte_pairs);
  std::vector<VocabularyEntry> whole_pieces;
  if (model.ignore_merges) {
    for (const VocabularyEntry& entry : spec.vocabulary) {
      std::optional<std::string> piece = special.contains(entry.id) ? std::nullopt : unspell_bytes(entry.token);
      if (piece && !piece->empty()) whole_pieces.push_back({std::move(*piece), entry.id});
    }
  }
  merger->index_pieces(whole_pieces);
  return merger;
}

void ByteMerger::find_uncrossed_pairs(const TokenizerSpec& spec) {
  std::vector<std::string> bytes;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    // In GPT-2's alphabet a character of three bytes takes at least five; of others there is nothing to find.
    if (entry.token.size() < 4) continue;
    auto token = unspell_bytes(entry.token);
    if (token && std::any_of(token->begin(), token->end(), [](char c) { return static_cast<uint8_t>(c) >= 0xE0; })) {
      bytes.push_back(std::move(*token));
    }
  }
  uncrossed_ = UncrossedPairs(std::vector<std::string_view>(bytes.begin(), bytes.end()));
}

void ByteMerger::index_pieces(const std::vector<VocabularyEntry>& pieces) {
  std::vector<Word> words;
  std::vector<size_t> word_pieces;
  std::vector<bool> merges_to_itself(pieces.size());
  Buffers buffers;
  std::vector<int32_t> ids;
  for (size_t i = 0; i < pieces.size(); ++i) {
    const auto& [bytes, id] = pieces[i];
    if (bytes.size() <= max_word) {
      words.push_back({bytes, {}, 0});
      word_pieces.push_back(i);
    } else {
      ids.resize(bytes.size());
      merges_to_itself[i] = encode(bytes, buffers, ids.data()) == 1 && ids[0] == id;
    }
  }
  merge_words(words);
  for (size_t i = 0; i < words.size(); ++i) {
    const int32_t id = pieces[word_pieces[i]].id;
    merges_to_itself[word_pieces[i]] = words[i].count == 1 && words[i].ids[0] == id;
  }
  std::vector<char> bytes;
  std::vector<uint32_t> begins(1, 0);
  std::vector<int32_t> piece_ids;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (merges_to_itself[i]) continue;
    bytes.insert(bytes.end(), pieces[i].token.begin(), pieces[i].token.end());
    begins.push_back(static_cast<uint32_t>(bytes.size()));
    piece_ids.push_back(pieces[i].id);
    longest_piece_ = std::max(longest_piece_, pieces[i].token.size());
  }
  piece_bytes_ = std::move(bytes);
  piece_begins_ = std::move(begins);
  piece_ids_ = std::move(piece_ids);
  StringIndex::Builder index(piece_ids_.size());
  const auto get = [this](uint32_t number) { return piece(number); };
  for (uint32_t i = 0; i < piece_ids_.size(); ++i) index.add(piece(i), i, get);
  piece_index_ = std::move(index).finish();
}

ByteMerger::ByteMerger(const ImageReader& image)
    : byte_ids_(image.get<int32_t>("bytes.ids")),
      byte_pairs_(image.get<uint32_t>("bytes.pairs")),
      merges_(image, "merges"),
      uncrossed_(image),
      piece_bytes_(image.get<char>("pieces.bytes")),
      piece_begins_(image.get<uint32_t>("pieces.begins")),
      piece_ids_(image.get<int32_t>("pieces.ids")),
      piece_index_(image.get<StringIndex::Slot>("pieces.index")) {
  const auto is_id = [](int32_t id) { return id >= 0 && id <= max_token_id; };
  if (byte_ids_.size() != 256 || !all_pass(byte_ids_.span(), is_id)) {
    image.fail_section("bytes.ids", "expected 256 ids");
  }
  const auto is_rule = [&](uint32_t rule) { return rule == MergeTable::none || rule < merges_.size(); };
  if (byte_pairs_.size() != 65536 || !all_pass(byte_pairs_.span(), is_rule)) {
    image.fail_section("bytes.pairs", "expected 65536 rules");
  }
  if (!all_pass(piece_ids_.span(), is_id)) image.fail_section("pieces.ids", "a wrong id");
  if (piece_begins_.size() != piece_ids_.size() + 1 || piece_begins_[0] != 0 ||
      piece_begins_.back() != piece_bytes_.size() || !is_rising(piece_begins_.span())) {
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
  uncrossed_.write(image);
  image.add("pieces.bytes", piece_bytes_);
  image.add("pieces.begins", piece_begins_);
  image.add("pieces.ids", piece_ids_);
  image.add("pieces.index", piece_index_.slots());
}

int32_t ByteMerger::whole_piece(std::string_view text) const {
  if (text.size() > longest_piece_) return -1;
  const uint32_t number = piece_index_.find(text, [this](uint32_t i) { return piece(i); });
  return number == StringIndex::none ? -1 : piece_ids_[number];
}

size_t ByteMerger::encode(std::string_view text, Buffers& buffers, int32_t* ids) const {
  if (text.empty()) return 0;
  if (text.size() <= max_word) {
    Word word{text, {}, 0};
    merge_words({&word, 1});
    std::copy_n(word.ids.begin(), word.count, ids);
    return word.count;
  }
  buffers.tokens.clear();
  for (uint32_t i = 0; i < text.size(); ++i) {
    buffers.tokens.push_back({byte_ids_[static_cast<uint8_t>(text[i])], i, i + 1});
  }
  merge(merges_, buffers.tokens, buffers.merge);
  std::transform(buffers.tokens.begin(), buffers.tokens.end(), ids, [](const PieceToken& token) { return token.id; });
  return buffers.tokens.size();
}

void ByteMerger::encode_words(std::span<Word> words, Buffers&) const { merge_words(words); }

/// The symbols of a word that is not done, as a list. Loops have a fixed length and nothing branches: what would be
/// predicted differs from word to word.
struct ByteMerger::Merging {
  static constexpr size_t size = max_word + 1;
  static constexpr uint8_t outside = max_word;  // before the first symbol, behind the last one
  static constexpr int place_bits = 4;
  static_assert(size == size_t{1} << place_bits);
  static constexpr int32_t no_merge = static_cast<int32_t>(MergeTable::none << place_bits);

  // Rule and place of the pair that begins at a place. Signed: all processors compare such in vectors.
  std::array<int32_t, size> merges;
  std::array<int32_t, size> ids;
  std::array<uint8_t, size> next;
  std::array<uint8_t, size> previous;
  int32_t lowest;
  Word* word;

  static int32_t lower(int32_t a, int32_t b) noexcept { return a < b ? a : b; }
  // Never inlined: inside of another loop GCC unrolls these loops before it could make vectors of them.
  [[gnu::noinline]] void choose() noexcept {
    std::array<int32_t, size / 2> least;
    for (size_t i = 0; i < least.size(); ++i) least[i] = lower(merges[i], merges[i + least.size()]);
    for (size_t i = 0; i < 4; ++i) least[i] = lower(least[i], least[i + 4]);
    lowest = lower(lower(least[0], least[1]), lower(least[2], least[3]));
  }
  [[nodiscard]] uint32_t rule() const noexcept { return static_cast<uint32_t>(lowest) >> place_bits; }
  [[nodiscard]] uint32_t place() const noexcept { return static_cast<uint32_t>(lowest) & outside; }
};

void ByteMerger::merge_words(std::span<Word> words) const noexcept {
  std::array<Merging, max_together> merging;
  std::array<uint8_t, max_together> waiting;
  while (!words.empty()) {
    const size_t together = std::min(words.size(), merging.size());
    size_t active = 0;
    // What was written a moment ago can't be read as a vector yet: first all are written, then all are read.
    const auto choose = [&](size_t k) {
      merging[k].choose();
      merges_.prefetch_rule(merging[k].rule());
      waiting[active] = static_cast<uint8_t>(k);
      active += merging[k].lowest < Merging::no_merge ? 1 : 0;
    };
    for (size_t k = 0; k < together; ++k) {
      begin(words[k], merging[k]);
    }
    for (size_t k = 0; k < together; ++k) choose(k);
    while (active > 0) {
      const size_t count = active;
      for (size_t w = 0; w < count; ++w) apply(merging[waiting[w]]);
      for (size_t w = 0; w < count; ++w) find_neighbours(merging[waiting[w]]);
      active = 0;
      for (size_t w = 0; w < count; ++w) choose(waiting[w]);
    }
    for (size_t k = 0; k < together; ++k) {
      Word& word = words[k];
      word.count = 0;
      for (uint8_t i = 0; i != Merging::outside; i = merging[k].next[i]) word.ids[word.count++] = merging[k].ids[i];
    }
    words = words.subspan(together);
  }
}

void ByteMerger::begin(Word& word, Merging& merging) const noexcept {
  merging.word = &word;
  merging.merges.fill(Merging::no_merge);
  merging.ids[Merging::outside] = 0;
  const size_t size = word.text.size();
  for (size_t i = 0; i < size; ++i) {
    merging.ids[i] = byte_ids_[static_cast<uint8_t>(word.text[i])];
    merging.next[i] = static_cast<uint8_t>(i + 1);
    merging.previous[i] = static_cast<uint8_t>(i - 1) & Merging::outside;
  }
  merging.next[size - 1] = Merging::outside;
  for (size_t i = 0; i + 1 < size; ++i) {
    const uint32_t rule = byte_pair_rule(word.text[i], word.text[i + 1]);
    merging.merges[i] = static_cast<int32_t>(rule << Merging::place_bits | static_cast<uint32_t>(i));
  }
}

void ByteMerger::apply(Merging& m) const noexcept {
  const size_t left = m.place();
  const size_t right = m.next[left];
  m.ids[left] = merges_.rule(m.rule()).merged;
  m.merges[right] = Merging::no_merge;
  m.next[left] = m.next[right];
  m.previous[m.next[right]] = static_cast<uint8_t>(left);
  merges_.prefetch(m.ids[m.previous[left]], m.ids[left]);
  merges_.prefetch(m.ids[left], m.ids[m.next[left]]);
}

void ByteMerger::find_neighbours(Merging& m) const noexcept {
  const uint32_t place = m.place();
  const uint32_t before = m.previous[place];
  const uint32_t behind = m.next[place];
  const auto merge_at = [&](uint32_t left, uint32_t right, bool is_pair) {
    const uint32_t rule = merges_.find(m.ids[left], m.ids[right]);
    return static_cast<int32_t>((is_pair ? rule : MergeTable::none) << Merging::place_bits | left);
  };
  // A place outside takes part in no merge: that its rank is written there is all that happens.
  m.merges[before] = merge_at(before, place, before != Merging::outside);
  m.merges[place] = merge_at(place, behind, behind != Merging::outside);
}

}  // namespace sesame
