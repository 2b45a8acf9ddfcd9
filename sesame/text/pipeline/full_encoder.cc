#include "sesame/text/pipeline/full_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/unicode/hugging_face_categories.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

/// What the model sees of a text, in order: pieces, and added tokens between them.
struct FullEncoder::Pieces {
  struct Piece {
    size_t begin;  // in `text`
    size_t end;
    const AddedToken* token;  // or null
  };
  std::string text;
  std::vector<ByteSpan> spans;  // of each byte of `text`, in the text that is encoded
  std::vector<Piece> pieces;

  void add(AlignedView view, const AddedToken* token) {
    pieces.push_back({text.size(), text.size() + view.text.size(), token});
    text += view.text;
    spans.insert(spans.end(), view.spans, view.spans + view.text.size());
  }
  /// Where bytes [begin, end) of a piece stand in the text that is encoded.
  [[nodiscard]] TextSpan span(const Piece& piece, size_t begin, size_t end) const {
    if (begin < end) return {spans[piece.begin + begin].begin, spans[piece.begin + end - 1].end};
    // Of the bytes of a character all but the last stand for nothing.
    const size_t place = piece.begin + begin;
    const uint64_t at = place < piece.end ? spans[place].begin : spans[piece.end - 1].end;
    return {at, at};
  }
};

namespace {

std::optional<SentencePieceNormalizer> sentencepiece_normalizer(const TokenizerSpec& spec, std::string_view origin) {
  const auto* model = std::get_if<model::SentencePiece>(&spec.model);
  if (model == nullptr || spec.normalizers.size() != 1) return std::nullopt;
  const auto* settings = std::get_if<normalizer::SentencePiece>(&spec.normalizers[0]);
  if (settings == nullptr) return std::nullopt;
  std::vector<std::string_view> symbols;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const auto id = static_cast<size_t>(entry.id);
    const bool listed = id < model->types.size() && model->types[id] == model::PieceType::user_defined;
    if (listed && !entry.token.empty()) symbols.push_back(entry.token);
  }
  return std::make_optional<SentencePieceNormalizer>(*settings, symbols, origin);
}

}  // namespace

FullEncoder::FullEncoder(const TokenizerSpec& spec, const TokenTable& table, const AddedTokenFinder& raw,
                         const AddedTokenFinder& normalized, const PostProcessor& around, std::string_view origin)
    : spec_(spec),
      table_(table),
      raw_tokens_(raw),
      normalized_tokens_(normalized),
      around_(around),
      sentencepiece_normalizer_(sentencepiece_normalizer(spec, origin)),
      normalizer_(sentencepiece_normalizer_ ? std::vector<normalizer::Step>{} : spec.normalizers,
                  fmt::format("{}: normalizer", origin)),
      pre_tokenizer_(spec.pre_tokenizers, origin, sees_bytes(spec)),
      model_(make_token_model(spec, origin)) {
  if (const auto* unigram = std::get_if<model::Unigram>(&spec.model)) unigram_unknown_ = unigram->unk_id;
}

AlignedText FullEncoder::normalize(const AlignedText& text) const {
  if (!sentencepiece_normalizer_) return normalizer_.empty() ? text : normalizer_.apply(AlignedView(text));
  // A byte reaches to where the next one comes from, as SentencePiece's surfaces do.
  std::vector<size_t> sources;
  AlignedText out;
  out.text = sentencepiece_normalizer_->apply(text.text, &sources);
  out.base = text.base;
  out.spans.reserve(out.text.size());
  for (size_t i = 0; i < out.text.size(); ++i) {
    out.spans.push_back(
        {text.base + static_cast<uint32_t>(sources[i]), text.base + static_cast<uint32_t>(sources[i + 1])});
  }
  return out;
}

FullEncoder::Pieces FullEncoder::split(std::string_view text, const Sought& sought) const {
  Pieces pieces;
  raw_tokens_.split(text, sought.raw, [&](std::string_view chunk, const AddedToken* token) {
    const AlignedText given = align(chunk, static_cast<size_t>(chunk.data() - text.data()));
    if (token != nullptr) return pieces.add(AlignedView(given), token);
    const AlignedText aligned = normalize(given);
    normalized_tokens_.split(aligned.text, sought.normalized, [&](std::string_view stretch, const AddedToken* found) {
      const auto begin = static_cast<size_t>(stretch.data() - aligned.text.data());
      const AlignedView view = AlignedView(aligned).slice(begin, begin + stretch.size());
      if (found != nullptr) return pieces.add(view, found);
      pre_tokenizer_.apply(view, [&](AlignedView piece) { pieces.add(piece, nullptr); });
    });
  });
  return pieces;
}

namespace {

TokenWindow::Spaces spaces_of(std::string_view token) {
  TokenWindow::Spaces spaces;
  bool leading = true;
  for (size_t i = 0; i < token.size();) {
    const Utf8Char c = decode_utf8(token, i);
    // U+0120 is a space in GPT-2's alphabet.
    const bool space = c.valid && (c.code == 0x120 || hugging_face::is_white_space(c.code));
    leading = leading && space;
    if (leading) ++spaces.leading;
    spaces.trailing = space ? spaces.trailing + 1 : 0;
    i += c.length;
  }
  return spaces;
}

}  // namespace

TokenWindow FullEncoder::encode_text(std::string_view text, int32_t sequence, const Sought& sought) const {
  const Pieces pieces = split(text, sought);
  const auto scratch = model_->make_scratch();
  std::vector<PieceToken> tokens;
  TokenWindow window;
  for (size_t i = 0; i < pieces.pieces.size(); ++i) {
    const Pieces::Piece& piece = pieces.pieces[i];
    const std::string_view bytes = std::string_view(pieces.text).substr(piece.begin, piece.end - piece.begin);
    tokens.clear();
    if (piece.token != nullptr) {
      tokens.push_back({piece.token->id, 0, static_cast<uint32_t>(bytes.size())});
    } else {
      model_->encode(bytes, *scratch, tokens);
    }
    for (const PieceToken& token : tokens) {
      TokenWindow::Spaces spaces;
      if (around_.trims()) {
        const bool as_written = piece.token != nullptr || unigram_unknown_ == token.id;
        spaces = spaces_of(as_written ? bytes.substr(token.begin, token.end - token.begin) : table_.spelling(token.id));
      }
      spaces.text = static_cast<uint8_t>(sequence);
      window.add(token.id, sequence, pieces.span(piece, token.begin, token.end), static_cast<int32_t>(i), sequence,
                 false, spaces);
    }
  }
  return window;
}

TokenWindow FullEncoder::encode_window(std::string_view text, std::optional<std::string_view> pair,
                                       const Sought& sought, bool add_special, bool truncate) const {
  truncate = truncate && spec_.truncation.has_value();
  std::vector<TokenWindow> windows;
  windows.push_back(encode_text(text, 0, sought));
  if (pair) windows.push_back(encode_text(*pair, 1, sought));
  if (truncate) {
    const uint64_t added = add_special ? around_.added_tokens(pair.has_value()) : 0;
    if (spec_.truncation->max_length < added) {
      fail(fmt::format("truncation to {} tokens leaves no room for the {} that the post-processor adds",
                       spec_.truncation->max_length, added));
    }
    truncate_pair(windows[0], pair ? &windows[1] : nullptr, *spec_.truncation, spec_.truncation->max_length - added);
  }
  return around_.process(std::move(windows), {text, pair.value_or("")}, add_special);
}

void FullEncoder::pad(std::span<TokenWindow> windows, bool pairs) const {
  const Padding& padding = *spec_.padding;
  uint64_t length = 0;
  for (const TokenWindow& window : windows) length = std::max<uint64_t>(length, window.size());
  length = padding.fixed_length.value_or(length);
  if (const uint64_t multiple = padding.pad_to_multiple_of.value_or(0)) {
    length += (multiple - length % multiple) % multiple;
  }
  for (TokenWindow& window : windows) {
    // Without a post-processor the library takes padding for a part of the only text.
    window.pad(length, padding, around_.empty() && !pairs ? 0 : -1);
  }
}

Encoding FullEncoder::encode(std::string_view text, std::optional<std::string_view> pair, const Sought& sought,
                             bool add_special, bool truncate_and_pad) const {
  TokenWindow window = encode_window(text, pair, sought, add_special, truncate_and_pad);
  if (truncate_and_pad && spec_.padding) pad({&window, 1}, pair.has_value());
  return window.take();
}

std::vector<Encoding> FullEncoder::encode_batch(std::span<const std::string_view> texts, const Sought& sought,
                                                bool add_special, bool truncate_and_pad) const {
  std::vector<TokenWindow> windows;
  windows.reserve(texts.size());
  for (const std::string_view text : texts) {
    windows.push_back(encode_window(text, std::nullopt, sought, add_special, truncate_and_pad));
  }
  if (truncate_and_pad && spec_.padding) pad(windows, false);
  std::vector<Encoding> encodings;
  encodings.reserve(windows.size());
  for (TokenWindow& window : windows) encodings.push_back(window.take());
  return encodings;
}

std::vector<TextSpan> code_point_offsets(std::string_view text, std::span<const TextSpan> spans) {
  std::vector<uint64_t> number(text.size() + 1);  // of the code point that each byte belongs to
  uint64_t count = 0;
  for (size_t i = 0; i < text.size(); ++count) {
    const size_t length = decode_utf8(text, i).length;
    std::fill_n(number.begin() + static_cast<ptrdiff_t>(i), length, count);
    i += length;
  }
  number[text.size()] = count;
  std::vector<TextSpan> out;
  out.reserve(spans.size());
  for (const TextSpan& span : spans) {
    if (span.begin > text.size() || span.end > text.size()) fail("an offset lies behind the end of its text");
    out.push_back({number[span.begin], number[span.end]});
  }
  return out;
}

}  // namespace sesame
