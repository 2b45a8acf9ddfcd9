#include "sesame/text/bpe/marked_bpe_encoder.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/bpe/bpe_model.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/piece_encoder.h"
#include "sesame/text/bpe/uncrossed_pairs.h"

namespace sesame {
namespace {

constexpr std::string_view mark = "\xE2\x96\x81";

/// Where a mark is put before the text: at stretches of these kinds.
struct Marking {
  bool at_text = false;
  bool at_stretch = false;
  bool unless_marked = false;  // Metaspace: not where the text begins with one
};

std::optional<Marking> marking_of(const TokenizerSpec& spec) {
  Marking marking;
  bool replaces = false;
  for (const normalizer::Step& step : spec.normalizers) {
    if (const auto* prepend = std::get_if<normalizer::Prepend>(&step)) {
      if (prepend->prepend != mark || marking.at_text) return std::nullopt;
      marking.at_text = marking.at_stretch = true;
    } else if (const auto* replace = std::get_if<normalizer::Replace>(&step)) {
      if (replace->pattern.regex || replace->pattern.text != " " || replace->content != mark) return std::nullopt;
      replaces = true;
    } else {
      return std::nullopt;
    }
  }
  for (const pre_tokenizer::Step& step : spec.pre_tokenizers) {
    if (const auto* split = std::get_if<pre_tokenizer::Split>(&step)) {
      // There is no space left that it could find.
      if (!replaces || split->pattern.regex || split->pattern.text != " " || split->invert) return std::nullopt;
    } else if (const auto* metaspace = std::get_if<pre_tokenizer::Metaspace>(&step)) {
      if (replaces || !spec.normalizers.empty() || metaspace->replacement != mark || metaspace->split) {
        return std::nullopt;
      }
      using pre_tokenizer::PrependScheme;
      marking.at_text = metaspace->prepend_scheme != PrependScheme::never;
      marking.at_stretch = metaspace->prepend_scheme == PrependScheme::always;
      marking.unless_marked = true;
      replaces = true;
    } else {
      return std::nullopt;
    }
  }
  return replaces ? std::optional(marking) : std::nullopt;
}

/// Merges a piece of the text as it stands there, spaces and all.
class MarkedMerger : public PieceMerger {
 public:
  MarkedMerger(const model::Bpe& model, const TokenizerSpec& spec, std::string_view origin)
      : model_(model, spec, false, origin) {
    std::vector<std::string_view> tokens;
    for (const VocabularyEntry& entry : spec.vocabulary) tokens.emplace_back(entry.token);
    uncrossed_ = UncrossedPairs(tokens);
  }

  size_t encode(std::string_view piece, Buffers& buffers, int32_t* ids) const override {
    if (buffers.model == nullptr) buffers.model = model_.make_scratch();
    buffers.text.clear();
    for (const char c : piece) {
      if (c == ' ') {
        buffers.text += mark;
      } else {
        buffers.text += c;
      }
    }
    buffers.tokens.clear();
    model_.encode(buffers.text, *buffers.model, buffers.tokens);
    std::transform(buffers.tokens.begin(), buffers.tokens.end(), ids, [](const PieceToken& token) { return token.id; });
    return buffers.tokens.size();
  }

  [[nodiscard]] size_t next_cut(std::string_view piece, size_t from) const override {
    return uncrossed_.next_cut(piece, from);
  }

 private:
  BpeModel model_;
  UncrossedPairs uncrossed_;
};

class MarkedBpeEncoder : public TextEncoder {
 public:
  MarkedBpeEncoder(const model::Bpe& model, const TokenizerSpec& spec, Marking marking, std::string_view origin)
      : marking_(marking), pieces_(std::make_unique<const MarkedMerger>(model, spec, origin)) {
    for (const VocabularyEntry& entry : spec.vocabulary) {
      for (size_t at = entry.token.find(mark, 1); at != std::string::npos; at = entry.token.find(mark, at + 1)) {
        const std::string_view before = std::string_view(entry.token).substr(0, at);
        if (!before.ends_with(mark)) crossed_[static_cast<uint8_t>(before.back())] = true;
      }
    }
  }

  [[nodiscard]] std::unique_ptr<State> make_state() const override { return std::make_unique<ThreadState>(); }

  void encode(std::string_view text, StretchStart start, State& state, IdBuffer& ids) const override {
    if (text.empty()) return;
    if (text.size() >= UINT32_MAX) fail("a stretch of 4 GiB without an added token is too long for this tokenizer");
    auto& thread = static_cast<ThreadState&>(state);
    size_t begin = 0;
    const bool marked = start == StretchStart::text      ? marking_.at_text
                        : start == StretchStart::stretch ? marking_.at_stretch
                                                         : false;
    if (marked && !(marking_.unless_marked && (text.front() == ' ' || text.starts_with(mark)))) {
      begin = end_of_piece(text, 0);
      thread.first.assign(1, ' ').append(text.substr(0, begin));
      const std::array<uint32_t, 1> whole = {static_cast<uint32_t>(thread.first.size())};
      pieces_.encode(thread.first, 0, whole, thread.pieces, ids);
    }
    std::array<uint32_t, PieceEncoder::batch> ends;
    while (begin < text.size()) {
      size_t count = 0;
      size_t end = begin;
      while (count < ends.size() && end < text.size()) {
        end = end_of_piece(text, end);
        ends[count++] = static_cast<uint32_t>(end - begin);
      }
      pieces_.encode(text, begin, {ends.data(), count}, thread.pieces, ids);
      begin = end;
    }
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t from) const override {
    for (size_t at = text.find(' ', from); at < text.size(); at = text.find(' ', at + 1)) {
      // The end of a mark, of which the text may hold the last byte only, is no place before a run.
      if (text[at - 1] != ' ' && text[at - 1] != mark.back() && !crossed_[static_cast<uint8_t>(text[at - 1])])
        return at;
    }
    return text.size();
  }

 private:
  struct ThreadState : State {
    PieceEncoder::State pieces;
    std::string first;  // the first piece of a text, with its mark
  };

  static size_t mark_at(std::string_view text, size_t at) noexcept {
    if (text[at] == ' ') return 1;
    return text[at] == mark.front() && text.substr(at).starts_with(mark) ? mark.size() : 0;
  }

  /// The next place behind `begin` before a run of spaces and marks, or the end of the text.
  [[nodiscard]] size_t end_of_piece(std::string_view text, size_t begin) const noexcept {
    size_t at = begin;
    while (true) {
      while (at < text.size()) {
        const size_t size = mark_at(text, at);
        if (size == 0) break;
        at += size;
      }
      while (at < text.size() && text[at] != ' ' && (text[at] != mark.front() || mark_at(text, at) == 0)) ++at;
      if (at >= text.size()) return text.size();
      if (!crossed_[static_cast<uint8_t>(text[at - 1])]) return at;
    }
  }

  Marking marking_;
  std::bitset<256> crossed_;  // the last bytes of what stands before a mark inside of a token
  PieceEncoder pieces_;
};

/// Whether every character becomes symbols where it stands, and as many as it has bytes at most.
bool falls_back(const model::Bpe& model, const TokenizerSpec& spec) {
  if (!model.byte_fallback || model.ignore_merges || !model.continuing_subword_prefix.empty() ||
      !model.end_of_word_suffix.empty()) {
    return false;
  }
  std::bitset<256> bytes;
  bool has_mark = false;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (const auto byte = parse_byte_token(entry.token)) bytes[*byte] = true;
    has_mark = has_mark || entry.token == mark;
  }
  const bool is_special = std::any_of(spec.added_tokens.begin(), spec.added_tokens.end(),
                                      [](const AddedToken& token) { return token.special && token.content == mark; });
  return bytes.all() && has_mark && !is_special;
}

}  // namespace

std::unique_ptr<TextEncoder> make_marked_bpe_encoder(const TokenizerSpec& spec, std::string_view origin) {
  const auto* bpe = std::get_if<model::Bpe>(&spec.model);
  if (bpe == nullptr || !falls_back(*bpe, spec)) return nullptr;
  const std::optional<Marking> marking = marking_of(spec);
  if (!marking) return nullptr;
  return std::make_unique<MarkedBpeEncoder>(*bpe, spec, *marking, origin);
}

}  // namespace sesame
