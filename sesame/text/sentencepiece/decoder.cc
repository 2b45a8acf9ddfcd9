#include "sesame/text/sentencepiece/decoder.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

std::string with_spaces(std::string_view piece) {
  std::string text;
  for (size_t done = 0; done < piece.size();) {
    const size_t mark = std::min(piece.find(space_symbol, done), piece.size());
    text.append(piece, done, mark - done);
    if (mark < piece.size()) text.push_back(' ');
    done = mark + space_symbol.size();
  }
  return text;
}

/// Whether bytes may yet become a character if others follow.
bool may_go_on(std::string_view bytes) {
  std::string rest(bytes);
  take_whole_utf8(rest, false);
  return rest.size() == bytes.size();
}

normalizer::SentencePiece denormalizer_settings(const TokenizerSpec& spec, std::string_view origin) {
  const auto* const model = std::get_if<model::SentencePiece>(&spec.model);
  if (model == nullptr) fail(fmt::format("{}: the model is not SentencePiece's own", origin));
  normalizer::SentencePiece settings;
  settings.charsmap = model->denormalizer_charsmap;
  settings.add_dummy_prefix = false;
  settings.remove_extra_whitespaces = false;
  settings.escape_whitespaces = false;
  return settings;
}

}  // namespace

SentencePieceDecoder::SentencePieceDecoder(const TokenizerSpec& spec, std::string_view origin)
    : denormalizer_(denormalizer_settings(spec, origin), {}, origin) {
  const auto& model = std::get<model::SentencePiece>(spec.model);
  denormalizes_ = !model.denormalizer_charsmap.empty();
  strips_one_ = strips_all_ = false;
  for (const normalizer::Step& step : spec.normalizers) {
    if (const auto* settings = std::get_if<normalizer::SentencePiece>(&step)) {
      strips_all_ = settings->remove_extra_whitespaces;
      strips_one_ = settings->add_dummy_prefix && !strips_all_;
    }
  }
  int32_t last = -1;
  for (const VocabularyEntry& entry : spec.vocabulary) last = std::max(last, entry.id);
  for (const AddedToken& added : spec.added_tokens) last = std::max(last, added.id);
  tokens_.resize(static_cast<size_t>(last) + 1);
  for (const AddedToken& added : spec.added_tokens) {
    tokens_[static_cast<size_t>(added.id)] = {added.content, Kind::whole, false};
  }
  for (const VocabularyEntry& entry : spec.vocabulary) {
    Token& token = tokens_[static_cast<size_t>(entry.id)];
    switch (model.types[static_cast<size_t>(entry.id)]) {
      case model::PieceType::control:
        token = {"", Kind::whole, false};
        break;
      case model::PieceType::unknown:
        token = {model.unk_surface, Kind::whole, false};
        break;
      case model::PieceType::byte:
        token = {std::string(1, static_cast<char>(parse_byte_token(entry.token).value_or(0))), Kind::byte, false};
        has_bytes_ = true;
        break;
      default:
        token = {with_spaces(entry.token), Kind::piece, std::string_view(entry.token).starts_with(space_symbol)};
    }
  }
}

void SentencePieceDecoder::check(int32_t id) const {
  if (contains(id)) return;
  fail(fmt::format("the token id {} is not in the vocabulary, which has ids below {}: the ids are of another tokenizer",
                   id, tokens_.size()));
}

void SentencePieceDecoder::decode_append(std::span<const int32_t> ids, std::string& text) const {
  if (ids.size() >= ShortTokens::long_text) return decode_long(ids, text);
  Stream stream(*this);
  for (const int32_t id : ids) stream.push(id, text);
  stream.finish(text);
}

void SentencePieceDecoder::decode_long(std::span<const int32_t> ids, std::string& text) const {
  short_tokens_->make(tokens_.size(), [this](int32_t id) -> std::optional<std::string_view> {
    const Token& token = tokens_[static_cast<size_t>(id)];
    if (token.kind == Kind::none) return std::nullopt;
    if (!has_bytes_ || token.kind == Kind::byte) return token.text;
    // What is nothing, or not whole characters, would keep decode_short from telling where a run of bytes ends.
    const bool ends_runs = !token.text.empty() && find_invalid_utf8(token.text) == token.text.size();
    return ends_runs ? std::optional<std::string_view>(token.text) : std::nullopt;
  });
  short_tokens_->reserve(ids, text);
  // What is decoded before it is known that all bytes are of characters.
  constexpr size_t max_block = 512;
  constexpr size_t min_block = 16;
  size_t block = max_block;
  Stream stream(*this);
  while (!ids.empty()) {
    const std::span<const int32_t> some = ids.first(std::min(block, ids.size()));
    const std::optional<size_t> taken = stream.is_settled() ? decode_short(some, text) : 0;
    // Bytes of no character seldom come alone.
    const size_t pushed = !taken ? std::min(min_block, some.size()) : *taken > 0 ? 0 : 1;
    for (const int32_t id : some.first(pushed)) stream.push(id, text);
    ids = ids.subspan(taken.value_or(0) + pushed);
    block = taken ? std::min(2 * block, max_block) : min_block;
  }
  stream.finish(text);
}

std::optional<size_t> SentencePieceDecoder::decode_short(std::span<const int32_t> ids, std::string& text) const {
  const size_t before = text.size();
  const size_t taken = short_tokens_->decode(ids, text);
  if (!has_bytes_) return taken;
  // Tokens other than bytes are whole characters. So what is UTF-8 in all is so in each run of bytes, and what is left
  // begun at the end is of bytes, one an id.
  const size_t begun = begun_at_end(std::string_view(text).substr(before));
  text.resize(text.size() - begun);
  if (simdjson::validate_utf8(text.data() + before, text.size() - before)) return taken - begun;
  text.resize(before);
  return std::nullopt;
}

void SentencePieceDecoder::Stream::push(int32_t id, std::string& out) {
  decoder_.check(id);
  std::string& text = decoder_.denormalizes_ ? denormalized_ : out;
  if (decoder_.tokens_[static_cast<size_t>(id)].kind == Kind::byte) {
    bytes_ += decoder_.tokens_[static_cast<size_t>(id)].text;
    flush_bytes(text, false);
  } else {
    flush_bytes(text, true);
    append_piece(id, text);
  }
}

void SentencePieceDecoder::Stream::append_piece(int32_t id, std::string& out) {
  const Token& token = decoder_.tokens_[static_cast<size_t>(id)];
  if (prefix_seen_ || has_text_) expects_prefix_ = false;
  std::string_view text = token.text;
  const bool strips = expects_prefix_ && token.kind == Kind::piece && token.begins_with_space &&
                      (decoder_.strips_one_ || decoder_.strips_all_);
  if (strips) text.remove_prefix(1);
  prefix_seen_ = strips && decoder_.strips_one_;
  has_text_ = has_text_ || !text.empty();
  out += text;
}

void SentencePieceDecoder::Stream::flush_bytes(std::string& out, bool last) {
  size_t done = 0;
  while (done < bytes_.size()) {
    const Utf8Char character = decode_utf8(bytes_, done);
    if (!character.valid && !last && may_go_on(std::string_view(bytes_).substr(done))) break;
    out += character.valid ? std::string_view(bytes_).substr(done, character.length) : replacement_character;
    has_text_ = true;
    done += character.length;
  }
  bytes_.erase(0, done);
}

void SentencePieceDecoder::Stream::finish(std::string& out) {
  flush_bytes(decoder_.denormalizes_ ? denormalized_ : out, true);
  if (!denormalized_.empty()) out += decoder_.denormalizer_.apply(denormalized_);
  denormalized_.clear();
}

}  // namespace sesame
